-- A former secret whose time is over is opened no more, so it keeps no key.
select id, secret from subscriptions
union all
select id, former_secret from subscriptions where former_until > now()
