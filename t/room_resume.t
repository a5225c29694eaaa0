
# Tests for resume: a join with the epoch and number last seen.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat       chat;
        chat_user  $arg_user;
    }

    location /ten {
        chat          chat;
        chat_user     $arg_user;
        chat_history  messages=10 age=1h;
        chat_backlog  16k;
    }

    location /page {
        chat               chat;
        chat_user          $arg_user;
        chat_history       messages=200 age=1h;
        chat_history_page  10;
    }
_EOC_

play();

__DATA__

=== TEST 1: exactly what was missed
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1,"epoch":"$epoch","recovered":"%absent"}
end
for i 1..3
a > {"type":"send","room":"lobby","text":"m$i"}
end
a seqs 1..3
b seqs 1..3
b drop
for i 4..6
a > {"type":"send","room":"lobby","text":"m$i"}
end
a seqs 4..6
for how same other
b connect /chat?user=bob $how=a
b < {"type":"welcome"}
b > {"type":"join","id":2,"room":"lobby","epoch":"$epoch","seq":3}
b < {"type":"ok","id":2,"recovered":true,"epoch":"$epoch","seq":6,"messages":[ \
    {"type":"message","seq":4,"text":"m4"},{"seq":5,"text":"m5"},{"seq":6,"text":"m6"}]}
end
a > {"type":"send","room":"lobby","text":"m7"}
a seqs 7..7
b seqs 7..7



=== TEST 2: nothing was missed
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"epoch":"$epoch","seq":0}
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby","epoch":"$epoch","seq":0}
b < {"type":"ok","id":1,"recovered":true,"seq":0,"messages":[]}
a > {"type":"send","room":"lobby","text":"m1"}
a seqs 1..1
b seqs 1..1
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":2,"room":"lobby","epoch":"$epoch","seq":1}
b < {"type":"ok","id":2,"recovered":true,"seq":1,"messages":[]}
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":3,"room":"lobby","epoch":"$epoch","seq":0}
b < {"type":"ok","id":3,"recovered":true,"messages":[{"seq":1}]}



=== TEST 3: another epoch, and a number from the future
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"epoch":"$epoch"}
for i 1..3
a > {"type":"send","room":"lobby","text":"m$i"}
end
a seqs 1..3
for e other "" $(substr $epoch, 1) $(lc($epoch) . "x")
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby","epoch":"$(Test::Nginx::Chat::Script::unescape($v{e}))","seq":1}
b < {"type":"ok","id":1,"recovered":false,"epoch":"$epoch","seq":3,"messages":"%[3]"}
end
for seq 4 1000 9007199254740991
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby","epoch":"$epoch","seq":$seq}
b < {"type":"ok","id":1,"recovered":false,"epoch":"$epoch","seq":3,"messages":"%[3]"}
end
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby","epoch":"other","seq":1,"history":1}
b < {"type":"ok","id":1,"recovered":false,"messages":[{"seq":3}]}



=== TEST 4: a room that was never there
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"new","epoch":"abc","seq":12}
a < {"type":"ok","id":1,"recovered":false,"seq":0,"messages":[]}



=== TEST 5: more was missed than is kept
--- chat
a connect /ten?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"epoch":"$epoch"}
for i 1..200
a > {"type":"send","room":"lobby","text":"$("x" x 300)"}
a < {"type":"message","seq":$i}
end
b connect /ten?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby","epoch":"$epoch","seq":5}
b < {"type":"ok","id":1,"recovered":false,"seq":200,"messages":"%[10]"}
b connect /ten?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby","epoch":"$epoch","seq":190}
b < {"type":"ok","id":1,"recovered":true,"seq":200,"messages":"%[10]"}



=== TEST 6: more than a page: the rest follows as events
--- chat
a connect /page?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"epoch":"$epoch"}
for i 1..100
a > {"type":"send","room":"lobby","text":"m$i"}
end
a seqs 1..100
b connect /page?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby","epoch":"$epoch","seq":20}
a > {"type":"send","room":"lobby","text":"m101"}
b < {"type":"ok","id":1,"recovered":true,"seq":"%>=100","messages":"%[10]"}
set page = $main::Script->client("b")->{last}{payload}
ok $page =~ /"messages":\[\{[^{}]*"seq":21,/ && $page =~ /"seq":30,/ && $page !~ /"seq":31,/
b seqs 31..101
b nothing 50ms



=== TEST 7: over and over
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"epoch":"$epoch"}
set seen = 0
for i 1..20
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby","epoch":"$epoch","seq":$seen}
b < {"type":"ok","id":1,"recovered":true,"messages":"%[$(2 * ($i > 1))]"}
a > {"type":"send","room":"lobby","text":"live $i"}
b skip {"type":"message","text":"live $i","seq":$(3 * $i - 2)}
set seen = 3 * $i - 2
b drop
for j 1..2
a > {"type":"send","id":"$i.$j","room":"lobby","text":"missed $i"}
end
a skip {"type":"ok","id":"$i.2"}
end



=== TEST 8: a second resume on the same connection
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"epoch":"$epoch"}
for i 1..5
a > {"type":"send","room":"lobby","text":"m$i"}
end
a seqs 1..5
a > {"type":"join","id":2,"room":"lobby","epoch":"$epoch","seq":3}
a < {"type":"ok","id":2,"recovered":true,"messages":[{"seq":4},{"seq":5}]}
a > {"type":"send","room":"lobby","text":"m6"}
a seqs 6..6
a nothing 50ms



=== TEST 9: without an id there is no reply: what was missed comes as events
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"epoch":"$epoch"}
for i 1..5
a > {"type":"send","room":"lobby","text":"m$i"}
end
a seqs 1..5
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"join","room":"lobby","epoch":"$epoch","seq":2}
b seqs 3..5
a > {"type":"send","room":"lobby","text":"m6"}
b seqs 6..6
b nothing 50ms



=== TEST 10: two rooms, each with its own place
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"x"}
a < {"type":"ok","id":1,"epoch":"$epoch_x"}
a > {"type":"join","id":1,"room":"y"}
a < {"type":"ok","id":1,"epoch":"$epoch_y"}
for room x y
for i 1..4
a > {"type":"send","room":"$room","text":"$room$i"}
end
a seqs 1..4 $room
end
ok $epoch_x ne $epoch_y
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"x","epoch":"$epoch_x","seq":1}
b < {"type":"ok","id":1,"recovered":true,"messages":[{"seq":2},{"seq":3},{"seq":4}]}
b > {"type":"join","id":2,"room":"y","epoch":"$epoch_y","seq":3}
b < {"type":"ok","id":2,"recovered":true,"messages":[{"seq":4,"text":"y4"}]}
b > {"type":"join","id":3,"room":"y","epoch":"$epoch_x","seq":3}
b < {"type":"ok","id":3,"recovered":false}
