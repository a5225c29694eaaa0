
# Tests for direct messages and the inboxes in which they are kept.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_user_name  $arg_name;
    }

    location /one {
        chat                       chat;
        chat_user                  $arg_user;
        chat_rooms_per_connection  1;
    }

    location /soon {
        chat              chat;
        chat_user         $arg_user;
        chat_presence     full;
        chat_leave_delay  100ms;
    }
_EOC_

play();

__DATA__

=== TEST 1: to every connection of both users, and to nobody else
Each inbox has a numbering of its own, and the reply names the sender's.
--- chat
a connect /chat?user=alice&name=Alice
a < {"type":"welcome","color":"$color"}
d connect /chat?user=alice other=a
b connect /chat?user=bob
e connect /chat?user=bob other=b
c connect /chat?user=carol
for who d b e c
$who < {"type":"welcome"}
end
for who a b c
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
b > {"type":"send","id":2,"to":"carol","text":"before"}
b skip {"type":"ok","id":2,"room":"@bob","seq":1}
c < {"type":"message","room":"@carol","seq":1,"user":"bob","to":"carol"}
e < {"type":"message","room":"@bob","seq":1,"user":"bob","to":"carol"}
a > {"type":"send","id":3,"to":"bob","text":"hello","data":[1.0],"nonce":"n","reply_to":5}
a skip {"type":"ok","id":3,"room":"@alice","seq":1,"ts":"$ts","duplicate":"%absent"}
d < {"type":"message","room":"@alice","seq":1,"ts":"$ts","user":"alice","name":"Alice", \
    "color":"$color","text":"hello","data":[1.0],"nonce":"n","reply_to":5,"to":"bob"}
for who b e
$who skip {"type":"message","room":"@bob","seq":2,"user":"alice","name":"Alice", \
    "color":"$color","text":"hello","data":[1.0],"nonce":"n","reply_to":5,"to":"bob"}
end
b > {"type":"send","id":4,"to":"alice","text":"hi"}
b skip {"type":"ok","id":4,"room":"@bob","seq":3}
for who a d
$who skip {"type":"message","room":"@alice","seq":2,"user":"bob","to":"alice","text":"hi"}
end
e < {"type":"message","room":"@bob","seq":3,"user":"bob","to":"alice","text":"hi"}
a > {"type":"send","room":"lobby","text":"to all"}
c < {"type":"message","room":"lobby","seq":1,"text":"to all"}



=== TEST 2: to oneself
--- chat
a connect /chat?user=alice
d connect /chat?user=alice other=a
for who a d
$who < {"type":"welcome"}
end
a > {"type":"send","id":1,"to":"alice","text":"note","nonce":"n"}
a skip {"type":"ok","id":1,"room":"@alice","seq":1}
d < {"type":"message","room":"@alice","seq":1,"user":"alice","to":"alice","text":"note"}
d > {"type":"send","id":2,"to":"alice","text":"note","nonce":"n"}
d < {"type":"ok","id":2,"room":"@alice","seq":1,"duplicate":true}
a > {"type":"send","id":3,"to":"alice","text":"next"}
a skip {"type":"ok","id":3,"seq":2}
d < {"type":"message","seq":2,"text":"next"}



=== TEST 3: who is away finds it later, who was never seen does not exist
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"send","id":1,"to":"bob","text":"x"}
a < {"type":"error","id":1,"code":"no_such_user"}
a > {"type":"send","to":"bob","text":"x"}
a < {"type":"error","code":"no_such_user","id":"%absent"}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b close 1000
b closed 1000
a > {"type":"send","id":2,"to":"bob","text":"one"}
a skip {"type":"ok","id":2,"room":"@alice","seq":1}
a > {"type":"send","id":3,"to":"bob","text":"two"}
a skip {"type":"ok","id":3,"room":"@alice","seq":2}
c connect /chat?user=bob other=a
c < {"type":"welcome"}
c > {"type":"join","id":1,"room":"@bob"}
c < {"type":"ok","id":1,"room":"@bob","seq":2,"members":1,"unread":2,"read":0, \
    "messages":[{"type":"message","room":"@bob","seq":1,"text":"one","user":"alice"}, \
                {"type":"message","room":"@bob","seq":2,"text":"two"}]}
c > {"type":"send","id":2,"to":"alice","text":"three"}
c skip {"type":"ok","id":2,"room":"@bob","seq":3}
a skip {"type":"message","room":"@alice","seq":3,"user":"bob","text":"three"}



=== TEST 4: the inbox is a room that one is in from the start
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"history","id":1,"room":"@bob"}
b < {"type":"ok","id":1,"room":"@bob","messages":"%[0]","more":false}
a > {"type":"send","id":1,"to":"bob","text":"one"}
a skip {"type":"ok","id":1}
b < {"type":"message","room":"@bob","seq":1}
b > {"type":"history","id":2,"room":"@bob"}
b < {"type":"ok","id":2,"messages":[{"type":"message","seq":1}]}
b > {"type":"members","id":3,"room":"@bob"}
b < {"type":"ok","id":3,"members":1,"presence":[{"user":"bob"}]}
b > {"type":"leave","id":4,"room":"@bob"}
b < {"type":"error","id":4,"code":"forbidden"}
b > {"type":"read","id":5,"room":"@bob","seq":1}
b skip {"type":"ok","id":5,"room":"@bob","seq":1}
a > {"type":"send","id":2,"to":"bob","text":"two"}
a skip {"type":"ok","id":2}
b skip {"type":"message","room":"@bob","seq":2}
c connect /chat?user=bob other=b
c < {"type":"welcome"}
c > {"type":"join","id":1,"room":"@bob"}
c < {"type":"ok","id":1,"read":1,"unread":1}



=== TEST 5: a resume of the inbox
--- chat
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"@bob","presence":true}
b < {"type":"ok","id":1,"room":"@bob","epoch":"$epoch","seq":0,"messages":"%[0]", \
    "presence":[{"user":"bob"}],"topic":"","role":"member"}
a connect /chat?user=alice other=b
a < {"type":"welcome"}
for n 1..3
a > {"type":"send","id":$n,"to":"bob","text":"m$n"}
a skip {"type":"ok","id":$n}
b < {"type":"message","seq":$n}
end
b drop
a > {"type":"send","id":4,"to":"bob","text":"m4"}
a skip {"type":"ok","id":4}
c connect /chat?user=bob same=a
c < {"type":"welcome"}
c > {"type":"join","id":1,"room":"@bob","epoch":"$epoch","seq":2}
c < {"type":"ok","id":1,"recovered":true,"seq":4, \
    "messages":[{"seq":3,"text":"m3"},{"seq":4,"text":"m4"}]}
a > {"type":"send","id":5,"to":"bob","text":"m5"}
c < {"type":"message","room":"@bob","seq":5}
c > {"type":"join","id":2,"room":"@bob","epoch":"nonsense","seq":2,"history":1}
c < {"type":"ok","id":2,"recovered":false,"messages":[{"seq":5}]}
a > {"type":"send","id":6,"to":"bob","text":"m6"}
c < {"type":"message","room":"@bob","seq":6}



=== TEST 6: other people's inboxes are closed
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
end
a > {"type":"send","to":"bob","text":"x"}
a < {"type":"message","seq":1}
b < {"type":"message","seq":1}
for room @bob @nobody @ @alicex @Alice
a > {"type":"join","id":2,"room":"$room"}
a < {"type":"error","id":2,"code":"forbidden"}
for command leave send history members read typing react edit delete kick set
a > {"type":"$command","id":2,"room":"$room","text":"x","seq":1,"emoji":"+","user":"bob","topic":"x"}
a < {"type":"error","id":2,"code":"forbidden"}
end
end
a > {"type":"join","id":3,"room":"x@bob"}
a < {"type":"ok","id":3}
b > {"type":"history","id":4,"room":"@bob"}
b < {"type":"ok","id":4,"messages":"%[1]"}



=== TEST 7: exactly once, in both inboxes
A nonce that was used for one user is no duplicate for another one.
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
c connect /chat?user=carol
for who a b c
$who < {"type":"welcome"}
end
a > {"type":"send","id":1,"to":"bob","text":"x","nonce":"n"}
a skip {"type":"ok","id":1,"seq":1,"ts":"$ts"}
b < {"type":"message","seq":1}
a drop
d connect /chat?user=alice same=b
d < {"type":"welcome"}
d > {"type":"send","id":1,"to":"bob","text":"x","nonce":"n"}
d < {"type":"ok","id":1,"room":"@alice","seq":1,"ts":"$ts","duplicate":true}
d > {"type":"send","id":2,"to":"carol","text":"x","nonce":"n"}
d skip {"type":"ok","id":2,"room":"@alice","seq":2,"duplicate":"%absent"}
c < {"type":"message","room":"@carol","seq":1,"user":"alice"}
d > {"type":"send","id":3,"to":"bob","text":"y"}
d skip {"type":"ok","id":3,"seq":3}
b < {"type":"message","room":"@bob","seq":2,"text":"y"}
c > {"type":"send","id":4,"to":"bob","text":"z","nonce":"n"}
c skip {"type":"ok","id":4,"duplicate":"%absent"}
b < {"type":"message","room":"@bob","seq":3,"user":"carol","text":"z"}



=== TEST 8: an edit and a deletion reach both copies
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
end
b > {"type":"send","id":1,"to":"bob","text":"before"}
b skip {"type":"ok","id":1}
for n 1..2
a > {"type":"send","id":2,"to":"bob","text":"m$n"}
a skip {"type":"ok","id":2,"seq":$n}
b skip {"type":"message","room":"@bob","seq":$(1 + $n),"text":"m$n"}
end
a > {"type":"edit","id":3,"room":"@alice","seq":1,"text":"better"}
a skip {"type":"ok","id":3,"room":"@alice","seq":1}
b < {"type":"edited","room":"@bob","seq":4,"target":2,"user":"alice","text":"better"}
a > {"type":"delete","id":4,"room":"@alice","seq":2}
a skip {"type":"ok","id":4,"room":"@alice","seq":2}
b < {"type":"deleted","room":"@bob","seq":5,"target":3,"user":"alice"}
b > {"type":"history","id":2,"room":"@bob"}
b < {"type":"ok","id":2,"messages":[{"seq":1,"text":"before"}, \
    {"seq":2,"text":"better","edited":"%int"},{"seq":3,"text":"%absent","deleted":"%int"}, \
    {"type":"edited"},{"type":"deleted"}]}
a > {"type":"history","id":5,"room":"@alice"}
a skip {"type":"ok","id":5,"messages":[{"seq":1,"text":"better","edited":"%int"}, \
    {"seq":2,"text":"%absent","deleted":"%int"}, \
    {"type":"edited","seq":3,"target":1},{"type":"deleted","seq":4,"target":2}]}
b > {"type":"edit","id":3,"room":"@bob","seq":2,"text":"not mine"}
b < {"type":"error","id":3,"code":"forbidden"}



=== TEST 9: the inbox is none of the rooms of chat_rooms_per_connection
--- chat
a connect /one?user=alice
a < {"type":"welcome","limits":{"rooms":1}}
a > {"type":"send","id":1,"to":"alice","text":"x"}
a skip {"type":"ok","id":1}
a > {"type":"join","id":2,"room":"@alice"}
a skip {"type":"ok","id":2}
a > {"type":"join","id":3,"room":"lobby"}
a < {"type":"ok","id":3}
a > {"type":"join","id":4,"room":"other"}
a < {"type":"error","id":4,"code":"room_limit"}
a > {"type":"join","id":5,"room":"@alice"}
a < {"type":"ok","id":5}



=== TEST 10: wrong fields
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"send","id":1,"to":"alice","room":"lobby","text":"x"}
a < {"type":"error","id":1,"code":"bad_request","field":"to"}
for bad "" 1 null "a\u0007" $("\"" . "n" x 65 . "\"")
a > {"type":"send","id":2,"to":$bad,"text":"x"}
a < {"type":"error","id":2,"code":"bad_request","field":"to"}
end
a > {"type":"send","id":3,"to":"alice"}
a < {"type":"error","id":3,"code":"bad_request","field":"text"}
a > {"type":"send","id":4,"to":"$("n" x 64)","text":"x"}
a < {"type":"error","id":4,"code":"no_such_user"}



=== TEST 11: what was acknowledged is in both inboxes, whoever dies
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
a > {"type":"send","id":1,"to":"bob","text":"x","nonce":"n"}
a skip {"type":"ok","id":1,"room":"@alice","seq":1,"ts":"$ts"}
nginx kill a
b < {"type":"message","room":"@bob","seq":1,"text":"x"}
c connect /chat?user=alice
c < {"type":"welcome"}
c > {"type":"send","id":1,"to":"bob","text":"x","nonce":"n"}
c < {"type":"ok","id":1,"room":"@alice","seq":1,"ts":"$ts","duplicate":true}
c > {"type":"history","id":2,"room":"@alice"}
c < {"type":"ok","id":2,"messages":[{"seq":1,"text":"x","to":"bob"}]}
b > {"type":"history","id":2,"room":"@bob"}
b < {"type":"ok","id":2,"messages":[{"seq":1,"text":"x","to":"bob"}]}
nginx kill b
d connect /chat?user=bob
d < {"type":"welcome"}
d > {"type":"join","id":1,"room":"@bob"}
d < {"type":"ok","id":1,"seq":1,"messages":[{"seq":1,"text":"x"}]}
--- faults
exited on signal 9



=== TEST 12: the inbox of one who has left stays
Who did nothing at all has been seen, too.
--- chat
a connect /soon?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"r"}
a < {"type":"ok","id":1}
b connect /soon?user=bob other=a
b < {"type":"welcome"}
c connect /soon?user=carol same=b
c < {"type":"welcome"}
for who b c
$who > {"type":"join","id":1,"room":"r"}
$who < {"type":"ok","id":1}
end
a skip {"type":"joined","user":"carol"}
a > {"type":"send","id":2,"to":"bob","text":"one"}
a skip {"type":"ok","id":2}
b skip {"type":"message","room":"@bob","seq":1}
b drop
a skip {"type":"left","user":"bob"}
c drop
a skip {"type":"left","user":"carol"}
d connect /soon?user=dave same=a
d < {"type":"welcome"}
d > {"type":"join","id":1,"room":"r"}
d < {"type":"ok","id":1}
d > {"type":"leave","id":2,"room":"r"}
d < {"type":"ok","id":2}
a skip {"type":"left","user":"dave"}
a > {"type":"send","id":3,"to":"bob","text":"two"}
a skip {"type":"ok","id":3,"room":"@alice","seq":2}
a > {"type":"send","id":4,"to":"carol","text":"x"}
a skip {"type":"ok","id":4}
b connect /soon?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"@bob"}
b < {"type":"ok","id":1,"seq":2,"messages":[{"seq":1,"text":"one"},{"seq":2,"text":"two"}]}
