-- What is held waits from here. Whether the template may go out: one per window.
with before as (
    select invited_for is distinct from last_customer_time as invite from conversations where id = $1
), held as (
    update conversations set held_from = least(coalesce(held_from, $2), $2),
                             invited_for = case when $3::bool then last_customer_time else invited_for end
    where id = $1
)
select invite from before
