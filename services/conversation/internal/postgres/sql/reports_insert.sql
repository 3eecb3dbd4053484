-- In the order of the webhook: the queue's numbers follow it.
insert into delivery_reports (
    integration_id, log_id, ordinal, message_id, state, echo, error_code, error_message, pricing_category, billable,
    pricing_model, pricing_type, traceparent)
select integration_id, log_id::uuid, ordinal, message_id, state, echo, error_code, error_message, pricing_category, billable,
       pricing_model, pricing_type, nullif(traceparent, '')
from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::smallint[], $6::text[], $7::int[], $8::text[], $9::text[],
            $10::bool[], $11::text[], $12::text[], $13::text[])
    with ordinality
    as reported (integration_id, log_id, ordinal, message_id, state, echo, error_code, error_message, pricing_category,
                 billable, pricing_model, pricing_type, traceparent, place)
order by place
