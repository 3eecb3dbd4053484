update messages set sentence = 'limit' where id = any ($1::text[]::uuid[]) and state = 'open'
