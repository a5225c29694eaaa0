
# Tests for history: what a room keeps, and how it is read.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat       chat;
        chat_user  $arg_user;
    }

    location /ten {
        chat               chat;
        chat_user          $arg_user;
        chat_history       messages=10 age=1h;
        chat_history_page  5;
    }

    location /off {
        chat          chat;
        chat_user     $arg_user;
        chat_history  off;
    }

    location /old {
        chat          chat;
        chat_user     $arg_user;
        chat_history  messages=100 age=1s;
    }

    location /small {
        chat               chat;
        chat_user          $arg_user;
        chat_message_size  2k;
        chat_history_page  100;
    }
_EOC_

play();


# has ROOM's "messages" exactly these numbers, "more" this value?

sub got {
    my ($script, $who, $from, $to, $more) = @_;

    my $event = $script->get($script->client($who));
    my $o = Test::Nginx::Chat::Match::decode($event->{payload});
    my @seqs = map { $_->{seq} } @{ $o->{messages} || [] };

    die "$event->{payload}\n" if "@seqs" ne join ' ', $from .. $to;
    die "more: $event->{payload}\n"
        if defined $more && ($more eq 'more') != !!$o->{more};
}

__DATA__

=== TEST 1: before, after, limit, more
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":0,"room":"lobby"}
a < {"type":"ok","id":0,"epoch":"$epoch"}
a > {"type":"history","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"room":"lobby","epoch":"$epoch","messages":[],"more":false}
for i 1..60
a > {"type":"send","room":"lobby","text":"m$i"}
end
a seqs 1..60 lobby
a > {"type":"history","id":1,"room":"lobby","limit":3}
a < {"type":"ok","id":1,"epoch":"$epoch","more":true,"messages":[ \
    {"type":"message","room":"lobby","seq":58,"text":"m58","user":"alice"}, \
    {"type":"message","seq":59,"text":"m59"}, \
    {"type":"message","seq":60,"text":"m60"}]}
a > {"type":"history","id":1,"room":"lobby"}
perl got a 11 60 more
a > {"type":"history","id":1,"room":"lobby","limit":60}
perl got a 1 60 end
a > {"type":"history","id":1,"room":"lobby","limit":100}
perl got a 1 60 end
a > {"type":"history","id":1,"room":"lobby","before":11,"limit":5}
perl got a 6 10 more
a > {"type":"history","id":1,"room":"lobby","before":6,"limit":5}
perl got a 1 5 end
a > {"type":"history","id":1,"room":"lobby","before":4,"limit":5}
perl got a 1 3 end
a > {"type":"history","id":1,"room":"lobby","before":1,"limit":5}
perl got a 1 0 end
a > {"type":"history","id":1,"room":"lobby","before":1000,"limit":2}
perl got a 59 60 more
a > {"type":"history","id":1,"room":"lobby","after":0,"limit":5}
perl got a 1 5 more
a > {"type":"history","id":1,"room":"lobby","after":50,"limit":5}
perl got a 51 55 more
a > {"type":"history","id":1,"room":"lobby","after":55,"limit":5}
perl got a 56 60 end
a > {"type":"history","id":1,"room":"lobby","after":58}
perl got a 59 60 end
a > {"type":"history","id":1,"room":"lobby","after":60}
perl got a 1 0 end
a > {"type":"history","id":1,"room":"lobby","after":9007199254740991}
perl got a 1 0 end



=== TEST 2: history is byte by byte what was sent live
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":0,"room":"lobby"}
a < {"type":"ok","id":0}
a > {"type":"send","room":"lobby","text":"one","data":{"n":1.50},"nonce":"x"}
a < {"type":"message"}
set live = $main::Script->client("a")->{last}{payload}
a > {"type":"history","id":1,"room":"lobby"}
a < ~"messages":\[\Q$live\E\]



=== TEST 3: a count
--- chat
a connect /ten?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":0,"room":"lobby"}
a < {"type":"ok","id":0}
for i 1..25
a > {"type":"send","room":"lobby","text":"m$i"}
end
a seqs 1..25 lobby
a > {"type":"history","id":1,"room":"lobby","limit":5}
perl got a 21 25 more
a > {"type":"history","id":1,"room":"lobby","before":21,"limit":5}
perl got a 16 20 end
a > {"type":"history","id":1,"room":"lobby","before":16,"limit":5}
perl got a 1 0 end
a > {"type":"history","id":1,"room":"lobby","after":0,"limit":5}
perl got a 16 20 more
a > {"type":"history","id":1,"room":"lobby"}
perl got a 21 25 more



=== TEST 4: recent messages on a join
--- chat
a connect /ten?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":0,"room":"lobby"}
a < {"type":"ok","id":0}
for i 1..12
a > {"type":"send","room":"lobby","text":"m$i"}
end
a seqs 1..12 lobby
for n 0 1 3 5
b connect /ten?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby","history":$n}
perl got b $(13 - $n) 12
end
b connect /ten?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
perl got b 8 12
b > {"type":"send","room":"lobby","text":"m13"}
b < {"type":"message","seq":13}



=== TEST 5: none
--- chat
a connect /off?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":0,"room":"lobby"}
a < {"type":"ok","id":0}
b connect /off?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":0,"room":"lobby"}
b < {"type":"ok","id":0}
for i 1..5
a > {"type":"send","room":"lobby","text":"m$i"}
end
a seqs 1..5 lobby
b seqs 1..5 lobby
a > {"type":"history","id":1,"room":"lobby"}
perl got a 1 0 end
c connect /off?user=carol
c < {"type":"welcome"}
c > {"type":"join","id":1,"room":"lobby"}
c < {"type":"ok","id":1,"seq":5,"messages":[]}
a > {"type":"send","room":"lobby","text":"m6"}
c seqs 6..6 lobby



=== TEST 6: an age
--- chat
a connect /old?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":0,"room":"lobby"}
a < {"type":"ok","id":0}
a > {"type":"send","room":"lobby","text":"old"}
a seqs 1..1
a > {"type":"history","id":1,"room":"lobby"}
perl got a 1 1
a nothing 1200ms
a > {"type":"history","id":1,"room":"lobby"}
perl got a 1 0 end
a > {"type":"send","room":"lobby","text":"new"}
a seqs 2..2
a > {"type":"history","id":1,"room":"lobby"}
perl got a 2 2 end
b connect /old?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
perl got b 2 2



=== TEST 7: a room that all have left keeps its history and its numbers
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":0,"room":"lobby"}
a < {"type":"ok","id":0,"epoch":"$epoch"}
a > {"type":"send","room":"lobby","text":"m1"}
a seqs 1..1
a drop
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","epoch":"$epoch","seq":1,"messages":[{"text":"m1"}]}
b > {"type":"send","room":"lobby","text":"m2"}
b seqs 2..2



=== TEST 8: a page of the largest messages
--- chat
timeout 20s
a connect /small?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":0,"room":"lobby"}
a < {"type":"ok","id":0}
for i 1..100
a > {"type":"send","room":"lobby","text":"$("x" x 1900)$i"}
end
a seqs 1..100 lobby
a > {"type":"history","id":1,"room":"lobby","limit":100}
perl got a 1 100 end
a cork
for i 1..20
a > {"type":"history","id":$i,"room":"lobby","limit":100}
end
a flush
for i 1..20
perl got a 1 100 end
end
