update conversations set closed_time = coalesce(closed_time, now()) where id = $1
returning id, integration_id, coalesce(user_id::text, ''), closed_time is not null, platform, platform_user_id, created_via,
          rag_enabled, passages, create_time, last_message_time,
       case when bot_paused_until > now() then bot_paused_until end, case when bot_paused_until > now() then pause_cause else '' end,
       case when bot_paused_until > now() then paused_by else '' end, case when bot_paused_until > now() then pause_reason else '' end,
       last_outcome, input_tokens, output_tokens, cost_micros
