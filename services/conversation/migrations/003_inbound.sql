-- Staff who answer by themselves, ids that are written in two ways, what is quoted, edited or taken back, and prices.

alter table conversations
    -- staff wrote by themselves: until then the bot keeps silent
    add column bot_paused_until timestamptz;
-- A bot that was blocked, or a group that moved, is told by its chat.
create index conversations_chat on conversations (integration_id, chat_id) where chat_id is not null;

alter table messages
    -- taken back by who wrote it; the text is gone
    add column deleted boolean not null default false;
-- Replies, edits and deletions name a message by the provider's id.
create index messages_platform_id on messages (conversation_id, platform_message_id) where platform_message_id <> '';

-- Of an answer that went out in several messages, the ids of all but the first.
create table message_parts (
    conversation_id     uuid not null references conversations (id),
    platform_message_id text not null,
    message_id          uuid not null references messages (id),
    primary key (conversation_id, platform_message_id)
);

-- BSUIDs that were remade. Webhooks come in no order: a message that was written before the change may arrive after the notice.
create table former_ids (
    integration_id text not null,
    external_id    text not null,
    user_id        uuid not null references users (id) on delete cascade,
    primary key (integration_id, external_id)
);

alter table users
    -- the last message came without the number: answers go to the BSUID
    add column phone_hidden boolean not null default false,
    -- when somebody last wrote with this number
    add column phone_seen_time timestamptz not null default now(),
    -- One form of numbers that providers write in two ways. It only finds users; nothing is ever sent to it. The same rule as
    -- conversation.PhoneKey.
    add column phone_key text generated always as (
        case
            when phone ~ '^549[0-9]{10}$' then '54' || substr(phone, 4)
            when phone ~ '^521[0-9]{10}$' then '52' || substr(phone, 4)
            when phone ~ '^55[1-9][1-9]9[6-9][0-9]{7}$' then left(phone, 4) || substr(phone, 6)
            else phone
        end) stored;

update users set phone_seen_time = last_seen_time;
-- Where a number was stored in both ways, it belongs to whom it was seen with last.
update users u set phone = null
where exists (
    select from users later
    where later.integration_id = u.integration_id and later.phone_key = u.phone_key and later.id <> u.id
      and (later.last_seen_time, later.id) > (u.last_seen_time, u.id));
create unique index users_phone_key on users (integration_id, phone_key) where phone_key is not null;

alter table delivery_reports
    add column pricing_model text not null default '',
    add column pricing_type  text not null default '';

---- create above / drop below ----

alter table delivery_reports drop column pricing_model, drop column pricing_type;
drop index users_phone_key;
alter table users drop column phone_key, drop column phone_seen_time, drop column phone_hidden;
drop table message_parts, former_ids;
drop index messages_platform_id;
alter table messages drop column deleted;
drop index conversations_chat;
alter table conversations drop column bot_paused_until;
