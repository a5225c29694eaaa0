
# Tests for purge: a kick or ban that takes the user's messages along.

use lib 't/lib';
use Test::Nginx::Chat;

arguments_config();

play();


# All that the room keeps, from what an answer to "history" says.

sub history {
    my ($script, $who) = @_;

    $script->client_step($who, '> {"type":"history","id":99,"room":"lobby",'
                               . '"limit":1000}');
    $script->client_step($who, 'skip {"type":"ok","id":99,"more":false}');

    my $answer = $script->client($who)->{last}{payload};

    return @{Test::Nginx::Chat::Match::decode($answer)->{messages}};
}


# Of his messages in front of his ban nothing can be read.

sub nothing_left {
    my ($script, $who, $user) = @_;

    my @messages = history($script, $who);
    my $ban = (grep { $_->{type} eq 'banned' } @messages)[-1];
    my @his = grep { $_->{type} eq 'message' && $_->{user} eq $user } @messages;

    die "he wrote nothing\n" if !@his;

    for my $message (@his) {
        die "$message->{seq} came after the ban\n"
            if $message->{seq} > $ban->{seq};
        die "$message->{seq} can be read\n"
            if exists $message->{text} || !$message->{deleted};
    }
}

__DATA__

=== TEST 1: with a ban: all of his and nobody else's, for everybody
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
bobby connect /chat?user=bobb
for who ann bob bobby
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1,"epoch":"$epoch"}
end
bob > {"type":"send","id":2,"room":"lobby","text":"one"}
bob skip {"type":"ok","id":2,"seq":1}
bobby > {"type":"send","id":2,"room":"lobby","text":"two","data":{"user":"bob"}}
bobby skip {"type":"ok","id":2,"seq":2}
bob > {"type":"send","id":3,"room":"lobby","text":"three"}
bob skip {"type":"ok","id":3,"seq":3}
bob > {"type":"edit","id":4,"room":"lobby","seq":3,"text":"drei"}
bob skip {"type":"ok","id":4}
bob > {"type":"send","id":5,"room":"lobby","text":"five"}
bob skip {"type":"ok","id":5,"seq":5}
bob > {"type":"delete","id":6,"room":"lobby","seq":5}
bob skip {"type":"ok","id":6}
ann > {"type":"ban","id":7,"room":"lobby","user":"bob","purge":true}
ann skip {"type":"ok","id":7,"user":"bob","until":null,"purged":2}
for who bob bobby
$who skip {"type":"banned","seq":7,"user":"bob","by":"ann","purge":true,"ts":"$ts"}
end

# in the history, over either worker
for who ann bobby
$who > {"type":"history","id":8,"room":"lobby"}
$who skip {"type":"ok","id":8,"messages":[ \
    {"type":"message","seq":1,"user":"bob","text":"%absent","deleted":$ts}, \
    {"type":"message","seq":2,"user":"bobb","text":"two","data":{"user":"bob"},"deleted":"%absent"}, \
    {"type":"message","seq":3,"user":"bob","text":"%absent","deleted":$ts}, \
    {"type":"edited","seq":4,"text":"%absent"}, \
    {"type":"message","seq":5,"user":"bob","text":"%absent","deleted":"%int"}, \
    {"type":"deleted","seq":6}, \
    {"type":"banned","seq":7,"purge":true}]}
end

# and for who resumes
eve connect /chat?user=eve
eve < {"type":"welcome"}
eve > {"type":"join","id":9,"room":"lobby","epoch":"$epoch","seq":2}
eve < {"type":"ok","id":9,"recovered":true,"messages":[ \
    {"type":"message","seq":3,"text":"%absent"},{"type":"edited","text":"%absent"}, \
    {"type":"message","seq":5,"text":"%absent"},{"type":"deleted"},{"type":"banned"}]}

# what was purged is gone for good
ann > {"type":"edit","id":10,"room":"lobby","seq":1,"text":"again"}
ann skip {"type":"error","id":10,"code":"no_such_message"}



=== TEST 2: with a kick, and without purge nothing of the kind
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
bob > {"type":"send","id":2,"room":"lobby","text":"one"}
bob skip {"type":"ok","id":2,"seq":1}
ann > {"type":"kick","id":3,"room":"lobby","user":"bob","purge":false}
ann skip {"type":"ok","id":3,"purged":"%absent"}
bob skip {"type":"kicked","purge":"%absent"}
bob > {"type":"join","id":4,"room":"lobby"}
bob < {"type":"ok","id":4,"messages":[{"text":"one","deleted":"%absent"}, \
    {"type":"kicked"}]}
ann > {"type":"kick","id":5,"room":"lobby","user":"bob","purge":true}
ann skip {"type":"ok","id":5,"purged":1}
bob < {"type":"kicked","seq":3,"purge":true}
bob > {"type":"join","id":6,"room":"lobby"}
bob < {"type":"ok","id":6,"messages":[{"seq":1,"text":"%absent","deleted":"%int"}, \
    {"type":"kicked"},{"type":"kicked"}]}



=== TEST 3: nothing to purge
--- chat
ann connect /chat?user=ann&role=moderator
ann < {"type":"welcome"}
ann > {"type":"join","id":1,"room":"lobby"}
ann < {"type":"ok","id":1}
ann > {"type":"send","id":2,"room":"lobby","text":"one"}
ann skip {"type":"ok","id":2}
ann > {"type":"ban","id":3,"room":"lobby","user":"bob","purge":true}
ann skip {"type":"ok","id":3,"purged":0}
ann > {"type":"history","id":4,"room":"lobby"}
ann skip {"type":"ok","id":4,"messages":[{"text":"one"},{"type":"banned","purge":true}]}



=== TEST 4: a name that has to be escaped, and messages larger than a reading
--- config
    location /chat {
        chat               chat;
        chat_user          $arg_user;
        chat_user_role     $arg_role;
        chat_message_size  100k;
        chat_presence      off;
        chat_rate          off;
    }
    location /quote {
        chat               chat;
        chat_user          'a"b\c';
        chat_message_size  100k;
        chat_presence      off;
        chat_rate          off;
    }
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /quote other=ann
ann < {"type":"welcome"}
bob < {"type":"welcome","user":"a\"b\\c"}
for who ann bob
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
for n 1 2 3
bob > {"type":"send","id":$n,"room":"lobby","text":"$("x" x 90000)"}
bob skip {"type":"ok","id":$n,"seq":$n}
end
ann > {"type":"ban","id":4,"room":"lobby","user":"a\"b\\c","purge":true}
ann skip {"type":"ok","id":4,"purged":3}
ann > {"type":"history","id":5,"room":"lobby"}
ann skip {"type":"ok","id":5,"messages":[{"text":"%absent"},{"text":"%absent"}, \
    {"text":"%absent"},{"type":"banned"}]}



=== TEST 5: what he writes at that very moment goes too
--- config
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_user_role  $arg_role;
        chat_history    messages=1000;
        chat_history_page  1000;
        chat_presence   off;
        chat_rate       off;
    }
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
for round 1..10
set ban = 100 + $round
set back = 200 + $round
bob > {"type":"send","id":$round,"room":"lobby","text":"first"}
bob skip {"type":"ok","id":$round}
bob cork
for i 1..9
bob > {"type":"send","room":"lobby","text":"m$i"}
end
bob > {"type":"send","id":$ban,"room":"lobby","text":"last"}
bob flush
ann > {"type":"ban","id":$ban,"room":"lobby","user":"bob","purge":true}
ann skip {"type":"ok","id":$ban}
bob skip {"id":$ban}
perl nothing_left ann bob
ann > {"type":"unban","id":$back,"room":"lobby","user":"bob"}
ann skip {"type":"ok","id":$back}
bob > {"type":"join","id":$back,"room":"lobby"}
bob skip {"type":"ok","id":$back}
end
