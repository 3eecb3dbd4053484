update messages set text = $2, sentence = $3, language = $4 where id = $1
