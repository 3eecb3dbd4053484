update messages set state = $2, platform_message_id = $3, delivery_state = greatest(delivery_state, $4), maybe_duplicate = maybe_duplicate or $5,
                    error = $6
where id = $1
