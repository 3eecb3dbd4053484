-- What the log of a payload says of the customer: of everybody in it if it was theirs alone.
with log as (
    select log_id from webhook_payloads where sha256 = $1
), logs as (
    update webhook_logs l set error = '' from log
    where l.id = log.log_id and l.error <> '' and ($2::bool or exists (select from unnest($3::text[]) as needle where position(needle in l.error) > 0))
)
update webhook_events e set error = '', response = ''
from log
where e.log_id = log.log_id
  and ($2::bool or exists (select from unnest($3::text[]) as needle where position(needle in e.error) > 0))
