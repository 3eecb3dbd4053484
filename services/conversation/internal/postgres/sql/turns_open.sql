-- Opens turns, or adds to those that are open. The answer waits for the end of the burst, but never longer than the longest
-- wait from the first message, and never less than a failure or a throttled peer has put it off, or than staff has the word.
insert into turns (conversation_id, integration_id, first_position, seq, opened_at, due_at)
select c.id, opened.integration_id, first_position, seq, greatest(now(), c.bot_paused_until),
       greatest(now() + least(debounce, $6::float8) * interval '1 second', c.bot_paused_until)
from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::float8[])
    as opened (conversation_id, integration_id, first_position, seq, debounce)
join conversations c on c.id = opened.conversation_id::uuid
order by c.id
on conflict (conversation_id) do update set
    seq = excluded.seq,
    first_position = least(turns.first_position, excluded.first_position),
    due_at = greatest(turns.due_at, least(excluded.due_at, turns.opened_at + $6::float8 * interval '1 second'))
