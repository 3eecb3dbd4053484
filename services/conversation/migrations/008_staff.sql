-- Staff who take a conversation over by our API, and what they write through it.

alter table conversations
    -- why the bot keeps silent, who has the word and what for, as long as bot_paused_until lies ahead
    add column pause_cause  text not null default '',
    add column paused_by    text not null default '',
    add column pause_reason text not null default '',
    -- how the last question was met, in rag's words
    add column last_outcome text not null default '';
-- Next to none is paused at any time.
create index conversations_paused on conversations (bot_paused_until) where bot_paused_until is not null;

-- What staff wrote and is not sent yet: one at a time is on its way, the others wait for it.
create index messages_replies on messages (conversation_id, position) where purpose = 'staff' and state = 'sending';

---- create above / drop below ----

drop index messages_replies, conversations_paused;
alter table conversations drop column last_outcome, drop column pause_reason, drop column paused_by, drop column pause_cause;
