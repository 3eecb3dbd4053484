select (select count(*) from turns), coalesce((select extract(epoch from now() - min(opened_at)) from turns where opened_at <= now()), 0)::float8,
       (select count(*) from delivery_reports), (select count(*) from media_fetches)
