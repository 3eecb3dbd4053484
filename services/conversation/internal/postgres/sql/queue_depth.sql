select (select count(*) from turns), coalesce((select extract(epoch from now() - min(opened_at)) from turns where opened_at <= now()), 0)::float8,
       -- due, and in no worker's hands: what more workers would shorten, unlike what waits for a provider or for staff
       coalesce((select extract(epoch from now() - min(due_at)) from turns
                 where due_at <= now() and (lease_until is null or lease_until < now())), 0)::float8,
       (select count(*) from delivery_reports), (select count(*) from media_fetches),
       notices.waiting, notices.oldest
from (
    -- what waits for a subscription that is off is nobody's fault
    select count(*) as waiting, coalesce(extract(epoch from now() - min(d.create_time)), 0)::float8 as oldest
    from subscriptions s join subscription_deliveries d on d.subscription_id = s.id and d.state = 'pending'
    where s.enabled
) as notices
