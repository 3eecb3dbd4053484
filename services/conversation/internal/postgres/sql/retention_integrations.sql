-- Whose conversations there are, one index probe each.
with recursive met as (
    (select integration_id from conversations order by integration_id limit 1)
    union all
    select (select c.integration_id from conversations c where c.integration_id > met.integration_id order by c.integration_id limit 1)
    from met
    where met.integration_id is not null
)
select integration_id from met where integration_id is not null
