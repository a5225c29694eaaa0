
# Tests for chat_filter: what is masked, what is refused, and that no
# expression holds the worker.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat         chat;
        chat_user    $arg_user;
        chat_room    lobby;
        chat_filter  "~*\bd[a\xe4]rn\w*" mask;
        chat_filter  "~\b\d{4}-\d{4}\b" mask "(a number)";
        chat_filter  "~*bad\s+word" reject;
        chat_filter  "~\x{1F4A9}" mask "";
    }
_EOC_

play();

__DATA__

=== TEST 1: masked with stars, a replacement, and nothing
--- chat
a connect /chat?user=alice record
a < {"type":"welcome"}
a < {"type":"joined"}
b connect /chat?user=bob other=a record
b < {"type":"welcome"}
b < {"type":"joined"}
a > {"type":"send","id":1,"room":"lobby","text":"oh DARN it, darned! undarn"}
a skip {"type":"ok","id":1}
b < {"type":"message","text":"oh **** it, ******! undarn"}
a > {"type":"send","id":2,"room":"lobby","text":"call 1234-5678 or 12345-6789"}
a skip {"type":"ok","id":2}
b < {"type":"message","text":"call (a number) or 12345-6789"}
a > {"type":"send","id":3,"room":"lobby","text":"\ud83d\udca9a\ud83d\udca9b\ud83d\udca9"}
a skip {"type":"ok","id":3}
b < {"type":"message","text":"ab"}
a > {"type":"send","id":4,"room":"lobby","text":"darn 1234-5678 darn"}
a skip {"type":"ok","id":4}
b < {"type":"message","text":"**** (a number) ****"}
a > {"type":"send","id":5,"room":"lobby","text":"nothing of it"}
a skip {"type":"ok","id":5}
b < {"type":"message","text":"nothing of it"}
a > {"type":"send","id":6,"room":"lobby","text":"","data":{"text":"darn"}}
a skip {"type":"ok","id":6}
b < {"type":"message","text":"","data":{"text":"darn"}}
same a b



=== TEST 2: stars are as many as characters
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a < {"type":"joined"}
a > {"type":"send","id":1,"room":"lobby","text":"d\u00e4rn d\u00c4RN\u00e9\ud83d\ude00 darn\u00df\u4e2d!"}
a skip {"type":"message","text":"**** *****\ud83d\ude00 ******!"}



=== TEST 3: refused
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a < {"type":"joined"}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b < {"type":"joined"}
a > {"type":"send","id":1,"room":"lobby","text":"a Bad \n WORD"}
a < {"type":"error","id":1,"code":"rejected"}
a > {"type":"send","id":2,"room":"lobby","text":"badword"}
a skip {"type":"ok","id":2,"seq":"$seq"}
b < {"type":"message","text":"badword","seq":"$seq"}



=== TEST 4: edits and direct messages too
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a < {"type":"joined"}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b < {"type":"joined"}
a > {"type":"send","id":1,"room":"lobby","text":"fine"}
a skip {"type":"ok","id":1,"seq":"$seq"}
b < {"type":"message","text":"fine"}
a > {"type":"edit","id":2,"room":"lobby","seq":$seq,"text":"bad word"}
a skip {"type":"error","id":2,"code":"rejected"}
a > {"type":"edit","id":3,"room":"lobby","seq":$seq,"text":"darn"}
a skip {"type":"ok","id":3}
b < {"type":"edited","text":"****"}
a > {"type":"send","id":4,"to":"bob","text":"bad word"}
a skip {"type":"error","id":4,"code":"rejected"}
a > {"type":"send","id":5,"to":"bob","text":"darn"}
a skip {"type":"ok","id":5}
b < {"type":"message","to":"bob","text":"****"}



=== TEST 5: history has what all saw
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a < {"type":"joined"}
a > {"type":"send","id":1,"room":"lobby","text":"darn"}
a skip {"type":"ok","id":1}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b < {"type":"joined","messages":[{"text":"****"}]}



=== TEST 6: inherited, replaced and lifted
--- config
    chat_filter ~one mask;
    chat_room lobby;
    chat_user $arg_user;
    location /same { chat chat; }
    location /own { chat chat; chat_filter ~two mask; }
    location /off { chat chat; chat_filter off; }
--- chat
a connect /same?user=alice
a < {"type":"welcome"}
a < {"type":"joined"}
b connect /own?user=bob other=a
b < {"type":"welcome"}
b < {"type":"joined"}
c connect /off?user=carol
c < {"type":"welcome"}
c < {"type":"joined"}
a > {"type":"send","id":1,"room":"lobby","text":"one two"}
a skip {"type":"ok","id":1}
b < {"type":"message","text":"*** two"}
b > {"type":"send","id":1,"room":"lobby","text":"one two"}
b skip {"type":"ok","id":1}
c < {"type":"message","text":"*** two"}
c < {"type":"message","text":"one ***"}
c > {"type":"send","id":1,"room":"lobby","text":"one two"}
c skip {"type":"message","text":"one two"}



=== TEST 7: an empty match masks nothing, and can refuse
--- config
    location /mask { chat chat; chat_room lobby; chat_filter ~x* mask +; }
    location /reject { chat chat; chat_room lobby; chat_filter ~^$ reject; }
--- chat
a connect /mask
a < {"type":"welcome"}
a < {"type":"joined"}
a > {"type":"send","room":"lobby","text":"axxbx"}
a < {"type":"message","text":"a+b+"}
a > {"type":"send","room":"lobby","text":""}
a < {"type":"message","text":""}
b connect /reject other=a
b < {"type":"welcome"}
b < {"type":"joined"}
b > {"type":"send","id":1,"room":"lobby","text":""}
b < {"type":"error","id":1,"code":"rejected"}
b > {"type":"send","room":"lobby","text":"x"}
b < {"type":"message","text":"x"}



=== TEST 8: a text that would become larger than a message may be
--- config
    location /chat {
        chat chat; chat_room lobby; chat_message_size 100;
        chat_filter ~x mask 0123456789;
    }
--- chat
a connect /chat
a < {"type":"welcome"}
a < {"type":"joined"}
a > {"type":"send","room":"lobby","text":"$('x' x 10)"}
a < {"type":"message","text":"$('0123456789' x 10)"}
a > {"type":"send","id":1,"room":"lobby","text":"$('x' x 11)"}
a < {"type":"error","id":1,"code":"rejected"}



=== TEST 9: expressions that explode are given up, in a moment
--- config
    location /chat {
        chat chat; chat_user $arg_user; chat_room lobby; chat_filter off;
    }
    location /a { chat chat; chat_user $arg_user; chat_room lobby; chat_filter ~(?:a+)+[bc] mask; }
    location /b { chat chat; chat_user $arg_user; chat_room lobby; chat_filter "~\p{L}+\p{L}+\p{N}" reject; }
    location /c { chat chat; chat_user $arg_user; chat_room lobby; chat_filter ~(*NO_JIT)(?:a|aa)+[bc] mask; }
    location /d { chat chat; chat_user $arg_user; chat_room lobby; chat_filter "~(*NO_JIT)\p{L}+\p{L}+\p{N}" mask; }
--- chat
w connect /chat?user=watcher
w < {"type":"welcome"}
w < {"type":"joined"}
for path a b c d
x connect /$path?user=$path same=w
x < {"type":"welcome"}
x < {"type":"joined"}
within 2s
x > {"type":"send","id":1,"room":"lobby","text":"$('a' x 10000)"}
x < {"type":"error","id":1,"code":"rejected"}
end
x > {"type":"send","id":2,"room":"lobby","text":"fine $path"}
x skip {"type":"ok","id":2}
w < {"type":"message","text":"fine $path"}
end
log ~"chat_filter" gave up "\(\?:a\+\)\+\[bc\]" on a text of 10000 bytes, which is refused



=== TEST 10: many matches in a text share what it may cost
--- config
    location /chat {
        chat chat; chat_room lobby; chat_message_size 64k;
        chat_filter "~(?:a|b|c)(?=(?:[a-z]+)*)" mask;
    }
--- chat
a connect /chat
a < {"type":"welcome"}
a < {"type":"joined"}
a > {"type":"send","room":"lobby","text":"abcd"}
a < {"type":"message","text":"***d"}
within 2s
a > {"type":"send","room":"lobby","text":"$('abcd ' x 8000)"}
a < {"type":"message","text":"$('***d ' x 8000)"}
end
within 2s
a > {"type":"send","id":2,"room":"lobby","text":"$('abc' x 16000)"}
a skip {"type":"error","id":2,"code":"rejected"}
end



=== TEST 11: raw mode is not filtered
--- config
    location /raw { chat chat; chat_protocol raw; chat_room lobby; chat_filter ~x reject; }
--- chat
a connect /raw
a text xxx
a recv text xxx
