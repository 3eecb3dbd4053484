-- The roles of KnoBot in the database that psql is connected to: for each service an owner, who migrates, and one that may
-- read and write rows only (migrate grants it that), and one that reads everything for backups. Passwords come from the
-- environment. It may run again, also to change passwords: psql -v ON_ERROR_STOP=1 -f roles.sql
\getenv gateway GATEWAY_PASSWORD
\getenv gateway_owner GATEWAY_OWNER_PASSWORD
\getenv conversation CONVERSATION_PASSWORD
\getenv conversation_owner CONVERSATION_OWNER_PASSWORD
\getenv rag RAG_PASSWORD
\getenv rag_owner RAG_OWNER_PASSWORD
\getenv channels CHANNELS_PASSWORD
\getenv channels_owner CHANNELS_OWNER_PASSWORD
\getenv backup BACKUP_PASSWORD

select format('create role %I login', name)
from unnest(array['gateway', 'gateway_owner', 'conversation', 'conversation_owner', 'rag', 'rag_owner', 'channels', 'channels_owner', 'knobot_backup']) as name
where not exists (select from pg_roles where rolname = name)
\gexec

alter role gateway password :'gateway';
alter role gateway_owner password :'gateway_owner';
alter role conversation password :'conversation';
alter role conversation_owner password :'conversation_owner';
alter role rag password :'rag';
alter role rag_owner password :'rag_owner';
alter role channels password :'channels';
alter role channels_owner password :'channels_owner';
alter role knobot_backup password :'backup';

-- The first migration makes the schema.
grant create on database :"DBNAME" to gateway_owner, conversation_owner, rag_owner, channels_owner;
grant pg_read_all_data to knobot_backup;
