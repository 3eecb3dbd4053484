select message_id, state, echo, error_code, error_message, pricing_category, billable, pricing_model, pricing_type, id,
       coalesce(traceparent, '')
from delivery_reports
where integration_id = $1
order by id
limit $2
