
# Tests for edit and delete: live, in history, and for who resumes.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat       chat;
        chat_user  $arg_user;
    }

    location /staff {
        chat            chat;
        chat_user       $arg_user;
        chat_user_role  $arg_role;
    }

    location /page {
        chat               chat;
        chat_user          $arg_user;
        chat_history_page  2;
    }

    location /few {
        chat          chat;
        chat_user     $arg_user;
        chat_history  messages=2;
    }
_EOC_

play();

__DATA__

=== TEST 1: an edit, its reply, and everyone's event
--- chat
a connect /chat?user=alice record
a < {"type":"welcome"}
b connect /chat?user=bob other=a record
b < {"type":"welcome"}
for who a b
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
a > {"type":"send","id":2,"room":"lobby","text":"old","data":[1],"nonce":"n","reply_to":7}
a skip {"type":"ok","id":2,"seq":1,"ts":"$sent"}
b < {"type":"message","seq":1}
a > {"type":"edit","id":3,"room":"lobby","seq":1,"text":"new \u2028\"\\\ud83d\ude00"}
a skip {"type":"ok","id":3,"room":"lobby","seq":1}
b < {"type":"edited","room":"lobby","seq":2,"target":1,"user":"alice","ts":"$ts", \
    "text":"new \u2028\"\\\ud83d\ude00","data":"%absent","id":"%absent"}
ok $ts >= $sent
b > {"type":"history","id":4,"room":"lobby"}
b < {"type":"ok","id":4,"messages":[ \
    {"type":"message","room":"lobby","seq":1,"ts":"$sent","user":"alice", \
     "name":"alice","text":"new \u2028\"\\\ud83d\ude00","data":"%absent", \
     "nonce":"n","reply_to":7,"edited":"$ts","deleted":"%absent"}, \
    {"type":"edited","seq":2,"target":1,"ts":"$ts", \
     "text":"new \u2028\"\\\ud83d\ude00"}]}
a > {"type":"ping","id":5}
a skip {"type":"ok","id":5}
same a b



=== TEST 2: the last of several edits is what it is now
An edit's content is all there is: text, data, or both.
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
a > {"type":"send","room":"lobby","text":"one"}
a < {"type":"message","seq":1}
a > {"type":"send","room":"lobby","text":"other"}
a < {"type":"message","seq":2}
a > {"type":"edit","room":"lobby","seq":1,"text":"two"}
a < {"type":"edited","seq":3,"target":1,"text":"two"}
a > {"type":"edit","room":"lobby","seq":1,"data":{"a":[1.0]}}
a < {"type":"edited","seq":4,"target":1,"data":{"a":[1.0]},"text":"%absent","ts":"$ts"}
a > {"type":"history","id":2,"room":"lobby","limit":4}
a < {"type":"ok","id":2,"messages":[ \
    {"seq":1,"text":"%absent","data":{"a":[1.0]},"edited":"$ts"}, \
    {"seq":2,"text":"other","edited":"%absent"}, \
    {"type":"edited","seq":3,"text":"two"},{"type":"edited","seq":4}]}
a > {"type":"edit","room":"lobby","seq":1,"text":"","data":null}
a < {"type":"edited","seq":5,"text":"","data":null}
a > {"type":"history","id":3,"room":"lobby","before":2}
a < {"type":"ok","id":3,"messages":[{"seq":1,"text":"","data":null}]}



=== TEST 3: a deletion takes text and data away, the edits' too
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
a > {"type":"send","room":"lobby","text":"secret","data":"secret","nonce":"n"}
b < {"type":"message","seq":1,"ts":"$sent"}
a > {"type":"edit","room":"lobby","seq":1,"text":"secret too"}
b < {"type":"edited","seq":2}
a > {"type":"delete","id":2,"room":"lobby","seq":1}
a skip {"type":"ok","id":2,"room":"lobby","seq":1}
b < {"type":"deleted","room":"lobby","seq":3,"target":1,"user":"alice","ts":"$ts", \
    "text":"%absent","data":"%absent"}
b > {"type":"history","id":3,"room":"lobby"}
b < {"type":"ok","id":3,"messages":[ \
    {"type":"message","seq":1,"ts":"$sent","user":"alice","nonce":"n", \
     "text":"%absent","data":"%absent","edited":"%absent","deleted":"$ts"}, \
    {"type":"edited","seq":2,"target":1,"text":"%absent","data":"%absent"}, \
    {"type":"deleted","seq":3,"target":1,"user":"alice","ts":"$ts"}]}
c connect /chat?user=carol other=b
c < {"type":"welcome"}
c > {"type":"join","id":1,"room":"lobby"}
c < ~"messages":\[(?!.*secret)



=== TEST 4: the author and moderators, and nobody else
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
m connect /staff?user=mia&role=moderator other=a
o connect /staff?user=olga&role=owner
p connect /staff?user=paul&role=member
for who a b m o p
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
for n 1..2
a > {"type":"send","room":"lobby","text":"m$n"}
for who a b m o p
$who < {"type":"message","seq":$n}
end
end
for who b p
$who > {"type":"edit","id":2,"room":"lobby","seq":1,"text":"mine"}
$who < {"type":"error","id":2,"code":"forbidden"}
$who > {"type":"delete","id":3,"room":"lobby","seq":1}
$who < {"type":"error","id":3,"code":"forbidden"}
$who > {"type":"delete","room":"lobby","seq":1}
$who < {"type":"error","code":"forbidden","id":"%absent"}
end
m > {"type":"edit","id":2,"room":"lobby","seq":1,"text":"better"}
a < {"type":"edited","seq":3,"target":1,"user":"mia","text":"better"}
o > {"type":"delete","id":2,"room":"lobby","seq":2}
a < {"type":"deleted","seq":4,"target":2,"user":"olga"}
a > {"type":"history","id":4,"room":"lobby","before":3}
a < {"type":"ok","id":4,"messages":[{"seq":1,"user":"alice","text":"better"}, \
    {"seq":2,"user":"alice","text":"%absent"}]}



=== TEST 5: no such message
One that is not there, not yet, dropped, deleted, or no message at all.
--- chat
a connect /few?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
for command edit delete
a > {"type":"$command","id":2,"room":"lobby","seq":1,"text":"x"}
a < {"type":"error","id":2,"code":"no_such_message"}
end
for n 1..3
a > {"type":"send","room":"lobby","text":"m$n"}
a < {"type":"message","seq":$n}
end
for seq 1 4 9007199254740991
for command edit delete
a > {"type":"$command","id":3,"room":"lobby","seq":$seq,"text":"x"}
a < {"type":"error","id":3,"code":"no_such_message"}
end
end
a > {"type":"edit","room":"lobby","seq":3,"text":"x"}
a < {"type":"edited","seq":4}
a > {"type":"edit","id":4,"room":"lobby","seq":4,"text":"x"}
a < {"type":"error","id":4,"code":"no_such_message"}
a > {"type":"delete","room":"lobby","seq":3}
a < {"type":"deleted","seq":5}
for command edit delete
a > {"type":"$command","id":5,"room":"lobby","seq":3,"text":"x"}
a < {"type":"error","id":5,"code":"no_such_message"}
end
for seq 0 -1 "1" null
a > {"type":"delete","id":6,"room":"lobby","seq":$seq}
a < {"type":"error","id":6,"code":"bad_request","field":"seq"}
end
a > {"type":"edit","id":7,"room":"lobby","seq":3}
a < {"type":"error","id":7,"code":"bad_request","field":"text"}



=== TEST 6: who resumes gets messages as they are now
In the answer, and in what follows it.
--- chat
b connect /page?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1,"epoch":"$epoch"}
a connect /chat?user=alice other=b
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
for n 1..4
a > {"type":"send","room":"lobby","text":"secret $n"}
a < {"type":"message","seq":$n}
end
for n 1 3
a > {"type":"edit","room":"lobby","seq":$n,"text":"edited $n"}
a < {"type":"edited","target":$n}
end
for n 2 4
a > {"type":"delete","room":"lobby","seq":$n}
a < {"type":"deleted","target":$n}
end
c connect /page?user=bob same=a
c < {"type":"welcome"}
c > {"type":"join","id":2,"room":"lobby","epoch":"$epoch","seq":0}
c < {"type":"ok","id":2,"recovered":true,"seq":8,"messages":[ \
    {"type":"message","seq":1,"text":"edited 1","edited":"%int"}, \
    {"type":"message","seq":2,"text":"%absent","deleted":"%int"}]}
c < {"type":"message","seq":3,"text":"edited 3","edited":"%int"}
c < {"type":"message","seq":4,"text":"%absent","deleted":"%int"}
c < {"type":"edited","seq":5,"target":1,"text":"edited 1"}
c < {"type":"edited","seq":6,"target":3,"text":"edited 3"}
c < {"type":"deleted","seq":7,"target":2}
c < {"type":"deleted","seq":8,"target":4}
c > {"type":"history","id":3,"room":"lobby","after":2}
c < {"type":"ok","id":3,"messages":[{"seq":3,"text":"edited 3"}, \
    {"seq":4,"text":"%absent","deleted":"%int"}],"more":true}



=== TEST 7: membership is not needed, but the room
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
a > {"type":"send","room":"lobby","text":"one"}
a < {"type":"message","seq":1}
b < {"type":"message","seq":1}
a > {"type":"leave","id":2,"room":"lobby"}
a < {"type":"ok","id":2}
a > {"type":"edit","id":3,"room":"lobby","seq":1,"text":"two"}
a < {"type":"ok","id":3,"room":"lobby","seq":1}
b < {"type":"edited","seq":2,"target":1,"user":"alice","text":"two"}
c connect /chat?user=carol same=b
c < {"type":"welcome"}
c > {"type":"delete","id":4,"room":"lobby","seq":1}
c < {"type":"error","id":4,"code":"forbidden"}
for command edit delete
c > {"type":"$command","id":5,"room":"nowhere","seq":1,"text":"x"}
c < {"type":"error","id":5,"code":"no_such_room"}
end
a > {"type":"delete","id":6,"room":"lobby","seq":1}
a < {"type":"ok","id":6,"seq":1}
b < {"type":"deleted","seq":3,"target":1}



=== TEST 8: long messages, and many, are found
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
for n 1..40
a > {"type":"send","room":"lobby","text":"$("x" x (411 * $n - 400))"}
a < {"type":"message","seq":$n}
end
for n 1 17 40
a > {"type":"edit","room":"lobby","seq":$n,"text":"short $n"}
a < {"type":"edited","target":$n,"text":"short $n"}
end
a > {"type":"edit","room":"lobby","seq":2,"text":"$("y" x 16000)"}
a < {"type":"edited","target":2}
a > {"type":"history","id":2,"room":"lobby","before":4}
a < {"type":"ok","id":2,"messages":[{"seq":1,"text":"short 1"}, \
    {"seq":2,"text":"$("y" x 16000)"},{"seq":3,"text":"$("x" x 833)"}]}
a > {"type":"history","id":3,"room":"lobby","before":41,"limit":1}
a < {"type":"ok","id":3,"messages":[{"seq":40,"text":"short 40"}]}
