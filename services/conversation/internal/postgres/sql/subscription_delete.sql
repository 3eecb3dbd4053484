-- What was told of meanwhile goes with the old deliveries.
with gone as (
    delete from subscriptions where id = $1 returning id
), untold as (
    delete from subscription_deliveries d using gone where d.subscription_id = gone.id
)
select count(*) from gone
