
# Tests for errors: a bad command is answered, and the session goes on.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat               chat;
        chat_user          $arg_user;
        chat_message_size  2000;
        chat_history_page  20;
    }
_EOC_

play();

__DATA__

=== TEST 1: what is not one JSON object
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
for bad x [] [{"type":"ping"}] "ping" 1 null true { {} {"type":"ping" {"type":"ping"}} \
    {"type":"ping",} {'type':'ping'} {type:"ping"} {"type":"ping"}{"type":"ping"} \
    {"type":"ping"}x {"type":"ping","x":01} {"type":"ping","x":.5} \
    {"type":"ping","x":+1} {"type":"ping","x":NaN} {"type":"ping","x":"\x41"} \
    {"type":"ping","x":"\ud800"} {"type":"ping","x":"\udc00\ud800"} \
    {"type":"ping","type":"ping"} {"type":"ping","x":1,"x":2} \
    {"type":"ping","x":1,"\u0078":2} {"type":"ping"}// {"type":"ping","x":"\u12"}
a > $bad
a < {"type":"error","code":"%~^bad_(json|request)$","id":"%absent","message":"%string"}
end
for bad x [] {"type":"ping" {"type":"ping","type":"ping"} {"type":"ping","x":"\ud800"}
a > $bad
a < {"type":"error","code":"bad_json"}
end
a text
a < {"type":"error","code":"bad_json"}
a text "{\"type\":\"ping\",\"x\":\"a\nb\"}"
a < {"type":"error","code":"bad_json"}
a text "{\"type\":\"ping\"}\0"
a < {"type":"error","code":"bad_json"}
a binary "{\"type\":\"ping\",\"x\":\"\xff\"}"
a < {"type":"error","code":"bad_json"}
a > {"type":"ping","id":1}
a < {"type":"ok","id":1}



=== TEST 2: depth
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"ping","id":1,"x":$("[" x 20)$("]" x 20)}
a < {"type":"ok","id":1}
a > {"type":"ping","id":1,"x":$("[" x 500)$("]" x 500)}
a < {"type":"error","code":"bad_json"}
a > $("[" x 2000)
a < {"type":"error","code":"bad_json"}
a > $("{\"a\":" x 390)
a < {"type":"error","code":"bad_json"}



=== TEST 3: id
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
for id 0 1 -1 1.5 1e3 12345678901234567890 "a" "" "$("x" x 64)" "\u0041\"\\"
a > {"type":"ping","id":$id}
a < ~"id":\Q$id\E[,}]
a > {"type":"nonsense","id":$id}
a < ~"id":\Q$id\E[,}]
end
for id null true false [] {} "$("x" x 65)" [1] {"a":1}
a > {"type":"ping","id":$id}
a < {"type":"error","code":"bad_request","field":"id","id":"%absent"}
end



=== TEST 4: type
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {}
a < {"type":"error","code":"bad_request","field":"type"}
a > {"id":7}
a < {"type":"error","code":"bad_request","field":"type","id":7}
for type null 1 true [] {} ["ping"]
a > {"type":$type,"id":7}
a < {"type":"error","code":"bad_request","field":"type","id":7}
end
for type "" "PING" "ping\u0020" "pings" "nonsense" "welcome" "ok" "message" "constructor"
a > {"type":$type,"id":7}
a < {"type":"error","code":"unknown_type","id":7}
a > {"type":$type}
a < {"type":"error","code":"unknown_type","id":"%absent"}
end



=== TEST 5: fields that are missing or of a wrong kind
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
for cmd join leave history
a > {"type":"$cmd","id":1}
a < {"type":"error","id":1,"code":"bad_request","field":"room"}
for room null 1 true [] {} ""
a > {"type":"$cmd","id":1,"room":$room}
a < {"type":"error","id":1,"code":"bad_request","field":"room"}
end
end
a > {"type":"send","id":1,"text":"x"}
a < {"type":"error","id":1,"code":"bad_request","field":"room"}
a > {"type":"send","id":1,"room":"lobby","to":"bob","text":"x"}
a < {"type":"error","id":1,"code":"bad_request","field":"to"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
for text null 1 true [] {}
a > {"type":"send","id":1,"room":"lobby","text":$text}
a < {"type":"error","id":1,"code":"bad_request","field":"text"}
end



=== TEST 6: the fields of join
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
for n -1 21 1.5 "1" null 5.0
a > {"type":"join","id":1,"room":"lobby","history":$n}
a < {"type":"error","id":1,"code":"bad_request","field":"history"}
end
for n -1 1.5 "1" null 9007199254740992
a > {"type":"join","id":1,"room":"lobby","epoch":"x","seq":$n}
a < {"type":"error","id":1,"code":"bad_request","field":"seq"}
end
for e 1 null [] true
a > {"type":"join","id":1,"room":"lobby","epoch":$e,"seq":1}
a < {"type":"error","id":1,"code":"bad_request","field":"epoch"}
end
a > {"type":"join","id":1,"room":"lobby","seq":1}
a < {"type":"error","id":1,"code":"bad_request","field":"epoch"}
a > {"type":"join","id":1,"room":"lobby","epoch":"x"}
a < {"type":"error","id":1,"code":"bad_request","field":"seq"}
a > {"type":"join","id":1,"room":"lobby","presence":1}
a < {"type":"error","id":1,"code":"bad_request","field":"presence"}
for n 0 20
a > {"type":"join","id":1,"room":"lobby$n","history":$n}
a < {"type":"ok","id":1}
end



=== TEST 7: the fields of history
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"history","id":1,"room":"lobby"}
a < {"type":"error","id":1,"code":"not_joined"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
for field limit before after
for n -1 1.5 "1" null 9007199254740992
a > {"type":"history","id":1,"room":"lobby","$field":$n}
a < {"type":"error","id":1,"code":"bad_request","field":"$field"}
end
end
for n 0 21
a > {"type":"history","id":1,"room":"lobby","limit":$n}
a < {"type":"error","id":1,"code":"bad_request","field":"limit"}
end
a > {"type":"history","id":1,"room":"lobby","before":5,"after":2}
a < {"type":"error","id":1,"code":"bad_request"}



=== TEST 8: too large, and so much too large that it is the end
--- chat
a connect /chat?user=alice
a < {"type":"welcome","limits":{"message_size":2000}}
a > {"type":"join","id":0,"room":"lobby"}
a < {"type":"ok","id":0}
a > {"type":"send","id":1,"room":"lobby","text":"$("x" x 2000)"}
a < {"type":"error","id":1,"code":"too_large"}
a > {"type":"send","room":"lobby","text":"$("x" x 2000)"}
a < {"type":"error","id":"%absent","code":"too_large"}
a > {"type":"send","id":2,"room":"lobby","text":"fits"}
a skip {"type":"message","seq":1,"text":"fits"}
a text $("x" x 100000)
a skip closed 1009



=== TEST 9: every command is known, and says which field it misses
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
for command join leave send edit delete react typing read history members kick \
    mute unmute ban unban grant set
a > {"type":"$command","id":1}
a < {"type":"error","id":1,"code":"bad_request","field":"room"}
end
a > {"type":"profile","id":1}
a < {"type":"error","id":1,"code":"bad_request","field":"name"}
a > {"type":"rooms","id":1}
a < {"type":"ok","id":1}
a > {"type":"ping","id":1}
a < {"type":"ok","id":1}
for command Join joined message welcome sendx
a > {"type":"$command","id":1,"room":"lobby","text":"x"}
a < {"type":"error","id":1,"code":"unknown_type"}
end



=== TEST 10: an error is for who made it
--- chat
a connect /chat?user=alice
b connect /chat?user=bob same=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
a > nonsense
a < {"type":"error","code":"bad_json"}
b nothing 50ms



=== TEST 11: ping
--- chat
set now = int(1000 * Time::HiRes::time())
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"ping","id":1}
a < {"type":"ok","id":1,"ts":"$ts"}
ok abs($ts - $now) < 60000
