
# Tests for profile: a user's name and color, which all of his connections
# have, and all of his rooms.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_user_name  $arg_name;
        chat_presence   off;
        chat_rate       off;
    }
_EOC_

play();


# the event "profile" comes once a room, and nothing else in between

sub profiles {
    my ($script, $who, $user, $rooms) = @_;

    my @rooms;

    for my $room (split /,/, $rooms) {
        my $event = $script->get($script->client($who));
        my $o = Test::Nginx::Chat::Match::decode($event->{payload});

        die "$event->{payload}\n"
            if $o->{type} ne 'profile' || $o->{user} ne $user;
        push @rooms, $o->{room};
    }

    my $got = join ',', sort @rooms;
    die "in $got\n" if $got ne $rooms;
}

__DATA__

=== TEST 1: each room hears of it once, each connection has it
--- chat
b1 connect /chat?user=bob&name=Bob
b2 connect /chat?user=bob&name=Bob other=b1
b3 connect /chat?user=bob&name=Bob same=b1
ann connect /chat?user=ann
for who b1 b2 b3 ann
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end

# a room where he is with another connection alone, on either worker
for who b2 ann
$who > {"type":"join","id":2,"room":"second"}
$who < {"type":"ok","id":2}
end
for who b3 ann
$who > {"type":"join","id":3,"room":"third"}
$who < {"type":"ok","id":3}
end

b1 > {"type":"profile","id":4,"name":"Robert","color":"#A1b2C3"}
b1 skip {"type":"ok","id":4,"name":"Robert","color":"#a1b2c3"}
b2 skip {"type":"profile","room":"second","user":"bob","name":"Robert","color":"#a1b2c3", \
    "seq":"%absent"}
b3 skip {"type":"profile","room":"third","user":"bob","name":"Robert","color":"#a1b2c3"}

# ann is in all three; the order of rooms is nobody's promise
perl profiles ann bob lobby,second,third

# what anyone of them sends next has the name
for who b1 b2 b3
$who > {"type":"send","id":5,"room":"lobby","text":"from $who"}
$who skip {"type":"ok","id":5}
ann < {"type":"message","room":"lobby","user":"bob","name":"Robert","color":"#a1b2c3"}
end
for who b1 b2 b3 ann
$who > {"type":"members","id":6,"room":"lobby"}
$who skip {"type":"ok","id":6,"members":2}
ok grep { $_->{user} eq 'bob' && $_->{name} eq 'Robert' && $_->{color} eq '#a1b2c3' } \
    @{Test::Nginx::Chat::Match::decode($main::Script->client("$who")->{last}{payload})->{presence}}
end



=== TEST 2: it is kept for the user's next connections, and beats the location's
--- chat
b1 connect /chat?user=bob&name=Bob
b1 < {"type":"welcome","name":"Bob","color":"$color"}
b1 > {"type":"profile","id":1,"name":"Robert"}
b1 < {"type":"ok","id":1,"name":"Robert","color":"$color"}
b2 connect /chat?user=bob&name=Bob other=b1
b2 < {"type":"welcome","user":"bob","name":"Robert","color":"$color"}
b1 drop
b2 > {"type":"profile","id":2,"color":"#010203"}
b2 < {"type":"ok","id":2,"name":"Robert","color":"#010203"}
b2 drop
b3 connect /chat?user=bob&name=Bob
b3 < {"type":"welcome","name":"Robert","color":"#010203"}
b3 > {"type":"join","id":3,"room":"lobby","presence":true}
b3 < {"type":"ok","id":3,"presence":[{"user":"bob","name":"Robert","color":"#010203"}]}

# another user's is his own
ann connect /chat?user=ann&name=Ann other=b3
ann < {"type":"welcome","name":"Ann"}



=== TEST 3: what a name and a color are
--- chat
b connect /chat?user=bob
b < {"type":"welcome","color":"$color"}
for bad "" 1 null "a\u0000" "a\n" "\u007f" "$("x" x 65)" ["a"]
b > {"type":"profile","id":1,"name":$bad}
b < {"type":"error","id":1,"code":"bad_request","field":"name"}
end
for bad "" "red" "#12345" "#1234567" "#12345g" "112233" 1 null
b > {"type":"profile","id":2,"color":$bad}
b < {"type":"error","id":2,"code":"bad_request","field":"color"}
end
b > {"type":"profile","id":3}
b < {"type":"error","id":3,"code":"bad_request","field":"name"}
b > {"type":"profile","id":4,"name":"good","color":"bad"}
b < {"type":"error","id":4,"code":"bad_request","field":"color"}
for name "x" "$("x" x 64)" "\"<\u00e9>\ud83d\ude00\\"
b > {"type":"profile","id":5,"name":$name}
b < {"type":"ok","id":5,"name":$name,"color":"$color"}
end



=== TEST 4: what changes nothing is no event
--- chat
b connect /chat?user=bob&name=Bob
ann connect /chat?user=ann other=b
for who b ann
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
b > {"type":"profile","id":2,"name":"Bob"}
b skip {"type":"ok","id":2,"name":"Bob"}
b > {"type":"profile","id":3,"name":"Rob"}
b skip {"type":"ok","id":3,"name":"Rob"}
ann < {"type":"profile","user":"bob","name":"Rob"}
b > {"type":"profile","id":4,"name":"Rob"}
b skip {"type":"ok","id":4,"name":"Rob"}
b > {"type":"send","id":5,"room":"lobby","text":"x"}
ann < {"type":"message","name":"Rob"}



=== TEST 5: a message right behind it has the new name
--- chat
b connect /chat?user=bob&name=Bob
ann connect /chat?user=ann other=b
for who b ann
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
b cork
b > {"type":"profile","id":2,"name":"Rob"}
b > {"type":"send","id":3,"room":"lobby","text":"x"}
b flush
b skip {"type":"ok","id":3}
ann < {"type":"profile","name":"Rob"}
ann < {"type":"message","name":"Rob"}
