
# Tests for rooms: which are listed, in what order, and what is said of them.

use lib 't/lib';
use Test::Nginx::Chat;

arguments_config();

play();

__DATA__

=== TEST 1: rooms with members, seq and topic, the latest used first
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
ann < {"type":"welcome"}
bob < {"type":"welcome"}
ann > {"type":"rooms","id":1}
ann < {"type":"ok","id":1,"rooms":[]}
ann > {"type":"join","id":2,"room":"one"}
ann < {"type":"ok","id":2}
ann > {"type":"set","id":3,"room":"one","topic":"first \"one\""}
ann skip {"type":"ok","id":3}
ann > {"type":"send","id":4,"room":"one","text":"x"}
ann skip {"type":"ok","id":4}
bob > {"type":"join","id":5,"room":"one"}
bob < {"type":"ok","id":5}
b2 connect /chat?user=bob same=ann
b2 < {"type":"welcome"}
b2 > {"type":"join","id":6,"room":"one"}
b2 < {"type":"ok","id":6}

# a room's place is not moved more than once a second
bob nothing 1100ms
bob > {"type":"join","id":7,"room":"two"}
bob < {"type":"ok","id":7}
for who ann bob
$who > {"type":"rooms","id":8}
$who skip {"type":"ok","id":8,"rooms":[ \
    {"room":"two","members":1,"seq":0,"topic":""}, \
    {"room":"one","members":2,"seq":2,"topic":"first \"one\""}]}
end

# who has no room sees them too
eve connect /chat?user=eve
eve < {"type":"welcome"}
eve > {"type":"rooms","id":9}
eve < {"type":"ok","id":9,"rooms":"%[2]"}
eve > {"type":"rooms"}
eve > {"type":"ping","id":10}
eve < {"type":"ok","id":10}



=== TEST 2: prefix and limit
--- config
    location /chat {
        chat               chat;
        chat_user          $arg_user;
        chat_history_page  10;
        chat_presence      off;
        chat_rate          off;
    }
--- chat
ann connect /chat?user=ann
ann < {"type":"welcome"}
for n 1..12
ann > {"type":"join","id":$n,"room":"a-$n"}
ann < {"type":"ok","id":$n}
end
for n 1..3
ann > {"type":"join","id":$n,"room":"b-$n"}
ann < {"type":"ok","id":$n}
end
ann > {"type":"rooms","id":1}
ann < {"type":"ok","id":1,"rooms":"%[10]"}
ann > {"type":"rooms","id":2,"prefix":"b-"}
ann < {"type":"ok","id":2,"rooms":"%[3]"}
ann > {"type":"rooms","id":3,"prefix":"b-","limit":2}
ann < {"type":"ok","id":3,"rooms":[{"room":"%~^b-"},{"room":"%~^b-"}]}
ann > {"type":"rooms","id":4,"prefix":"a-12"}
ann < {"type":"ok","id":4,"rooms":[{"room":"a-12"}]}
for prefix "a-123" "-" "A"
ann > {"type":"rooms","id":5,"prefix":$prefix}
ann < {"type":"ok","id":5,"rooms":[]}
end
ann > {"type":"rooms","id":6,"limit":10,"prefix":""}
ann < {"type":"ok","id":6,"rooms":"%[10]"}
for bad 0 11 -1 1.5 "1" null
ann > {"type":"rooms","id":7,"limit":$bad}
ann < {"type":"error","id":7,"code":"bad_request","field":"limit"}
end
ann > {"type":"rooms","id":8,"prefix":1}
ann < {"type":"error","id":8,"code":"bad_request","field":"prefix"}



=== TEST 3: what is not for everybody is not listed
--- config
    location /chat {
        chat             chat;
        chat_user        $arg_user;
        chat_user_role   $arg_role;
        chat_presence    off;
        chat_rate        off;
    }
    location /some {
        chat             chat;
        chat_user        $arg_user;
        chat_room_names  ^a;
        chat_presence    off;
        chat_rate        off;
    }
    location /raw {
        chat             chat;
        chat_protocol    raw;
        chat_room        raw;
    }
--- chat
ann connect /chat?user=ann&role=owner
bob connect /chat?user=bob other=ann
raw connect /raw
ann < {"type":"welcome"}
bob < {"type":"welcome"}
for room abc bcd
ann > {"type":"join","id":1,"room":"$room"}
ann < {"type":"ok","id":1}
end

# inboxes and raw mode's rooms
for who ann bob
$who > {"type":"rooms","id":2}
$who < {"type":"ok","id":2,"rooms":"%[2]"}
$who > {"type":"rooms","id":3,"prefix":"@"}
$who < {"type":"ok","id":3,"rooms":[]}
end

# a location's own names
eve connect /some?user=eve
eve < {"type":"welcome"}
eve > {"type":"rooms","id":4}
eve < {"type":"ok","id":4,"rooms":[{"room":"abc"}]}

# members_only
ann > {"type":"set","id":5,"room":"abc","members_only":true}
ann skip {"type":"ok","id":5}
ann > {"type":"rooms","id":6}
ann skip {"type":"ok","id":6,"rooms":"%[2]"}
bob > {"type":"rooms","id":7}
bob < {"type":"ok","id":7,"rooms":[{"room":"bcd"}]}
ann > {"type":"grant","id":8,"room":"abc","user":"bob","role":"member"}
ann skip {"type":"ok","id":8}
bob > {"type":"rooms","id":9}
bob < {"type":"ok","id":9,"rooms":"%[2]"}



=== TEST 4: listing takes nothing from those who are in the rooms
What a listing has looked at is delivered all the same.
--- chat
ann connect /chat?user=ann
bob connect /chat?user=bob other=ann
eve connect /chat?user=eve same=bob
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
eve < {"type":"welcome"}
for n 1..200
ann > {"type":"send","room":"lobby","text":"m$n"}
eve > {"type":"rooms","id":$n}
end
bob seqs 1..200 lobby
