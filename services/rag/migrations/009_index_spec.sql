-- An index has the terms of one version of the analyser. Those that there are were made by version 2.
alter table knowledge_bases
    add column index_analyzer text not null default '2',
    -- That of the one that is being made.
    add column next_analyzer  text not null default '';

alter table index_garbage add column analyzer text not null default '2';

-- How indexes shall be made: as the program started last makes them. It has one row.
alter table embedding rename to index_spec;
alter table index_spec add column analyzer text not null default '2';

---- create above / drop below ----

alter table index_spec drop column analyzer;
alter table index_spec rename to embedding;
alter table index_garbage drop column analyzer;
alter table knowledge_bases drop column index_analyzer, drop column next_analyzer;
