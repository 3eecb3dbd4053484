-- The integrations that have reports, one index probe each.
with recursive pending as (
    (select integration_id from delivery_reports order by integration_id limit 1)
    union all
    select (select r.integration_id from delivery_reports r
            where r.integration_id > pending.integration_id order by r.integration_id limit 1)
    from pending
    where pending.integration_id is not null
)
select integration_id from pending where integration_id is not null
