-- When the next message of each quota would be on time, by the generic cell rate algorithm.
--
-- Unlogged, because one row is written for every message that a number sends, and a commit that writes no log need not wait
-- for the disk. A crash empties the table: then the quotas start anew, and the provider's own refusals still hold. No index
-- holds what changes and half of each page is free, so that updates stay on their page.
create unlogged table pacing (
    integration_id uuid not null,
    -- Empty for all of the integration together.
    recipient      text not null,
    quota          text not null,
    on_time        timestamptz not null,
    primary key (integration_id, recipient, quota)
) with (fillfactor = 50);
