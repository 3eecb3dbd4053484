-- A secret that became the former one meanwhile is found there; one that is gone is left alone.
update subscriptions
set secret = case when secret = $2 then $3 else secret end, former_secret = case when former_secret = $2 then $3 else former_secret end
where id = $1 and (secret = $2 or former_secret = $2)
