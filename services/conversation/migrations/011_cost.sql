-- What models read, wrote and cost for the answers of a conversation, also of those that retention takes away.

alter table conversations
    add column input_tokens  bigint not null default 0,
    add column output_tokens bigint not null default 0,
    -- Millionths of the currency that rag's prices are set in.
    add column cost_micros   bigint not null default 0;

---- create above / drop below ----

alter table conversations drop column cost_micros, drop column output_tokens, drop column input_tokens;
