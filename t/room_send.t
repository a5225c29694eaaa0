
# Tests for send and message: what goes in, and what all see.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_user_name  $arg_name;
    }
_EOC_

play();


# "ok" and "message" may come in any mixture, each kind in its order

sub replies_in_order {
    my ($script, $who, $n) = @_;

    my %next = (ok => 1, message => 1);

    for (1 .. 2 * $n) {
        my $event = $script->get($script->client($who));
        my $o = Test::Nginx::Chat::Match::decode($event->{payload});
        my $number = $o->{type} eq 'ok' ? $o->{id} : $o->{seq};

        die "$event->{payload} came, $o->{type} $next{$o->{type}} was due\n"
            if $number != $next{$o->{type}}++ || $o->{seq} != $number;
    }
}

__DATA__

=== TEST 1: a message, its reply, and everyone's copy of it
--- chat
a connect /chat?user=alice&name=Alice record
a < {"type":"welcome","color":"$color"}
b connect /chat?user=bob other=a record
b < {"type":"welcome"}
for who a b
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
a > {"type":"send","id":2,"room":"lobby","text":"hello"}
a skip {"type":"ok","id":2,"room":"lobby","seq":1,"ts":"$ts"}
b < {"type":"message","room":"lobby","seq":1,"ts":"$ts","user":"alice", \
    "name":"Alice","color":"$color","text":"hello","data":"%absent", \
    "nonce":"%absent","reply_to":"%absent","to":"%absent","id":"%absent"}
a > {"type":"ping","id":3}
a skip {"type":"ok","id":3}
same a b
ok $ts > 1600000000000



=== TEST 2: text, data, both, and nothing of them
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
a > {"type":"send","room":"lobby","text":""}
a < {"type":"message","text":"","data":"%absent"}
a > {"type":"send","room":"lobby","data":null}
a < {"type":"message","data":null,"text":"%absent"}
a > {"type":"send","room":"lobby","text":"x","data":[1,{"a":[]}]}
a < {"type":"message","text":"x","data":[1,{"a":[]}]}
a > {"type":"send","id":9,"room":"lobby"}
a < {"type":"error","id":9,"code":"bad_request","field":"text"}
for data 0 -1 1.5 true false "" [] {} "x" [[[]]] {"a":{"b":null}}
a > {"type":"send","room":"lobby","data":$data}
a < {"type":"message","data":$data}
end



=== TEST 3: what was written is what is read
Numbers keep their digits, and strings their characters.
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
for data 12345678901234567890 1.0 0.1000 -0.0 1E5 [1.10,2.20] 9007199254740993
a > {"type":"send","room":"lobby","data":$data}
a < ~"data":\Q$data\E
end
a > {"type":"send","room":"lobby","text":"<script>&\"\\\/ \u0001\u0000 \u00e9 \ud83d\ude00 \u202e"}
a < {"type":"message","text":"<script>&\"\\/ \u0001\u0000 \u00e9 \ud83d\ude00 \u202e"}
a text $(qq({"type":"send","room":"lobby","text":"\xc3\xa9 \xf0\x9f\x98\x80"}))
a < {"type":"message","text":"\u00e9 \ud83d\ude00"}
a b> {"type":"send","room":"lobby","text":"from a buffer"}
a recv text ~from a buffer
a text $(qq( \t\r\n{ "type" : "send" ,\n"room":"lobby" , "text":"with space" } \n))
a < {"type":"message","text":"with space"}
a > {"\u0074ype":"send","r\u006fom":"lobby","text":"escaped keys"}
a < {"type":"message","text":"escaped keys"}
a > {"type":"send","room":"lobby","text":"unknown fields","x":1,"user":"mallory","seq":99,"ts":1}
a < {"type":"message","text":"unknown fields","user":"alice","seq":13}



=== TEST 4: nonce and reply_to come back with the message
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
a > {"type":"send","room":"lobby","text":"x","nonce":"n-1"}
a < {"type":"message","text":"x","nonce":"n-1","reply_to":"%absent"}
a > {"type":"send","room":"lobby","text":"y","nonce":"$("n" x 64)","reply_to":1}
a < {"type":"message","text":"y","nonce":"$("n" x 64)","reply_to":1}
a > {"type":"send","room":"lobby","text":"z","reply_to":777}
a < {"type":"message","text":"z","reply_to":777}
for bad "" 1 null $("\"" . "n" x 65 . "\"")
a > {"type":"send","id":2,"room":"lobby","text":"x","nonce":$bad}
a < {"type":"error","id":2,"code":"bad_request","field":"nonce"}
end
for bad "1" 0 -1 1.5 null 9007199254740992
a > {"type":"send","id":2,"room":"lobby","text":"x","reply_to":$bad}
a < {"type":"error","id":2,"code":"bad_request","field":"reply_to"}
end



=== TEST 5: who is not a member can not send
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"send","id":1,"room":"lobby","text":"x"}
a < {"type":"error","id":1,"code":"not_joined"}
a > {"type":"send","room":"lobby","text":"x"}
a < {"type":"error","code":"not_joined","id":"%absent"}
a > {"type":"join","id":2,"room":"lobby"}
a < {"type":"ok","id":2,"seq":0}



=== TEST 6: messages of a connection keep their order, and their replies too
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":0,"room":"lobby"}
$who < {"type":"ok","id":0}
end
a cork
for i 1..100
a > {"type":"send","id":$i,"room":"lobby","text":"m$i"}
end
a flush
b seqs 1..100 lobby
perl replies_in_order a 100



=== TEST 7: a time that never goes back
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":0,"room":"lobby"}
$who < {"type":"ok","id":0}
end
set last = 0
for i 1..30
a > {"type":"send","room":"lobby","text":"a"}
b > {"type":"send","room":"lobby","text":"b"}
end
for i 1..60
a < {"type":"message","seq":$i,"ts":"%>=$last"}
set last = Test::Nginx::Chat::Match::decode($main::Script->client("a")->{last}{payload})->{ts}
end



=== TEST 8: a user with two connections
--- chat
a connect /chat?user=alice
b connect /chat?user=alice other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":0,"room":"lobby"}
$who < {"type":"ok","id":0}
end
a > {"type":"send","room":"lobby","text":"mine"}
a < {"type":"message","user":"alice","text":"mine"}
b < {"type":"message","user":"alice","text":"mine"}
