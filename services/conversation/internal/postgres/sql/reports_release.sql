-- The lease ends now, or after a pause if handing on failed.
update report_leases set lease_until = now() + $3::float8 * interval '1 second', failures = case when $4 then failures + 1 else 0 end
where integration_id = $1 and lease_token = $2
