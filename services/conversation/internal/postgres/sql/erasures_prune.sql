delete from erasures where done_time < now() - $1::float8 * interval '1 second'
