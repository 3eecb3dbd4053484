update erasures set phones = array(select distinct phone from unnest(phones || $3::text[]) as phone) where user_id = $1 and lease_token = $2
