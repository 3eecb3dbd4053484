select is_group, passages, rag_enabled from conversations where id = $1
