
# Tests for reading a room with entries of all kinds: paging both ways gives
# each of them once, as it is now, and so does a resume from wherever.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:4m; chat_rate off;');

default_config(<<'_EOC_');
    location /chat {
        chat               chat;
        chat_user          $arg_user;
        chat_user_role     $arg_role;
        chat_history_page  7;
        chat_presence      off;
    }
_EOC_

# what each entry is, and in which state

our %Now = (
    (map { $_ => 'message secret' } 1 .. 12),
    (map { $_ => 'message edited' } 1, 12),
    (map { $_ => 'message' } 26 .. 35),
    6 => 'message data', 35 => 'message data',
    (map { $_ => 'message deleted' } 2, 7, 8, 26),
    (map { $_ => 'room' } 13, 14, 40),
    (map { $_ => 'edited' } 15 .. 18, 36 .. 38),
    (map { $_ => 'deleted' } 19 .. 21, 39),
    22 => 'muted', 23 => 'unmuted', 24 => 'banned', 25 => 'unbanned',
);

play();


# 40 entries in "r": by ann, who is an owner, and bob, who is a member of it

sub fill {
    my ($script, $ann, $bob) = @_;

    my $id = 0;
    my $do = sub {
        my ($who, $command) = @_;

        $id++;
        $script->client_step($who, qq(> {"id":"f$id","room":"r",$command}));
        $script->client_step($who, qq(skip {"type":"ok","id":"f$id"}));
    };

    $do->($bob, qq("type":"send","text":"secret $_")) for 1 .. 12;
    $do->($ann, qq("type":"set","topic":"t$_")) for 13 .. 14;
    $do->($bob, qq("type":"edit","seq":$_,"text":"edited $_")) for 1, 6, 7, 12;
    $do->($ann, qq("type":"delete","seq":$_)) for 2, 7, 8;
    $do->($ann, '"type":"mute","user":"eve"');
    $do->($ann, '"type":"unmute","user":"eve"');
    $do->($ann, '"type":"ban","user":"eve"');
    $do->($ann, '"type":"unban","user":"eve"');
    $do->($ann, qq("type":"send","text":"m$_")) for 26 .. 35;
    $do->($ann, qq("type":"edit","seq":$_,"data":{"n":$_})) for 26, 35, 6;
    $do->($ann, '"type":"delete","seq":26');
    $do->($ann, '"type":"set","locked":true,"slow":1,"topic":""');
}


sub check {
    my ($entry) = @_;

    my ($type, $state) = split ' ', $main::Now{$entry->{seq}};
    my $text = $entry->{text} // '';

    $state //= '';

    my $good = $entry->{type} eq $type && $entry->{room} eq 'r'
               && $entry->{ts};

    if ($type eq 'message') {
        $good &&= $state eq 'deleted'
                  ? $entry->{deleted} && !exists $entry->{text}
                    && !exists $entry->{data} && !exists $entry->{edited}
                  : $state eq 'data'
                  ? $entry->{edited} && $entry->{data}{n} == $entry->{seq}
                    && !exists $entry->{text} && !exists $entry->{deleted}
                  : $state eq 'edited'
                  ? $entry->{edited} && $text eq "edited $entry->{seq}"
                  : $text eq ($state || 'm')
                             . ($state ? ' ' : '') . $entry->{seq}
                    && !exists $entry->{edited} && !exists $entry->{deleted};
    }

    # an amendment of what was deleted since says nothing of it

    if ($type eq 'edited' && grep { $_ == $entry->{target} } 7, 26) {
        $good &&= !exists $entry->{text} && !exists $entry->{data};
    }

    die Test::Nginx::Chat::Match::encode($entry) . "\n" if !$good;
}


sub ask {
    my ($script, $who, $command) = @_;

    $script->client_step($who, qq(> {"id":"ask","room":"r",$command}));
    $script->client_step($who, 'skip {"type":"ok","id":"ask"}');

    return Test::Nginx::Chat::Match::decode(
               $script->client($who)->{last}{payload});
}


# Pages of LIMIT through all of it, WAY "before" or "after".

sub pages {
    my ($script, $who, $way, $limit) = @_;

    my $at = $way eq 'after' ? 0 : 41;
    my @seqs;

    for ( ;; ) {
        my $page = ask($script, $who,
                       qq("type":"history","$way":$at,"limit":$limit));
        my @entries = @{$page->{messages}};

        check($_) for @entries;

        die @entries . " entries\n" if @entries > $limit;

        my @got = map { $_->{seq} } @entries;

        @seqs = $way eq 'after' ? (@seqs, @got) : (@got, @seqs);
        $at = $way eq 'after' ? $seqs[-1] : $seqs[0];

        my $end = $way eq 'after' ? $at == 40 : $at == 1;

        die "more at $at\n" if !!$page->{more} == $end;

        last if $end;
    }

    die "@seqs\n" if "@seqs" ne join ' ', 1 .. 40;
}


# A resume from SEQ on: a page in the answer, and the rest behind it.

sub resumes {
    my ($script, $who, $epoch, $seq) = @_;

    my $answer = ask($script, $who,
                     qq("type":"join","epoch":"$epoch","seq":$seq));

    die "from $seq: not recovered\n" if !$answer->{recovered};
    die "from $seq: $answer->{seq}\n" if $answer->{seq} != 40;

    my @entries = @{$answer->{messages}};

    die "from $seq: " . @entries . "\n"
        if @entries != (40 - $seq < 7 ? 40 - $seq : 7);

    while (@entries < 40 - $seq) {
        my $event = $script->get($script->client($who));

        push @entries, Test::Nginx::Chat::Match::decode($event->{payload});
    }

    check($_) for @entries;

    my $seqs = join ' ', map { $_->{seq} } @entries;

    die "from $seq: $seqs\n" if $seqs ne join ' ', $seq + 1 .. 40;
}

__DATA__

=== TEST 1: paging both ways, by pages of each size
--- chat
ann connect /chat?user=ann&role=owner
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who < {"type":"ok","id":1}
end
perl fill ann bob
for limit 1..7
perl pages ann before $limit
perl pages bob after $limit
perl pages ann after $limit
perl pages bob before $limit
end



=== TEST 2: a resume from each place, over either worker
--- chat
timeout 10s
ann connect /chat?user=ann&role=owner
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who < {"type":"ok","id":1,"epoch":"$epoch"}
end
perl fill ann bob
for seq 0..40
eve connect /chat?user=eve $($seq % 2 ? "same" : "other")=ann
eve < {"type":"welcome"}
perl resumes eve $epoch $seq
eve drop
end
eve connect /chat?user=eve
eve < {"type":"welcome"}
eve > {"type":"join","id":1,"room":"r","epoch":"$epoch","seq":41}
eve < {"type":"ok","id":1,"recovered":false,"seq":40,"messages":"%[7]"}



=== TEST 3: a resume after a kick, and during a ban
--- chat
ann connect /chat?user=ann&role=owner
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who < {"type":"ok","id":1,"epoch":"$epoch"}
end
bob > {"type":"send","id":2,"room":"r","text":"one"}
bob skip {"type":"ok","id":2}
ann > {"type":"kick","id":2,"room":"r","user":"bob"}
ann skip {"type":"ok","id":2}
ann > {"type":"send","id":3,"room":"r","text":"three"}
ann skip {"type":"ok","id":3,"seq":3}
bob skip {"type":"kicked","seq":2}
bob > {"type":"join","id":3,"room":"r","epoch":"$epoch","seq":2}
bob < {"type":"ok","id":3,"recovered":true,"messages":[{"seq":3,"text":"three"}]}
ann > {"type":"ban","id":4,"room":"r","user":"bob"}
ann skip {"type":"ok","id":4}
bob skip {"type":"banned","seq":4}
bob > {"type":"join","id":4,"room":"r","epoch":"$epoch","seq":4}
bob < {"type":"error","id":4,"code":"banned","until":null}
ann > {"type":"unban","id":5,"room":"r","user":"bob"}
ann skip {"type":"ok","id":5}
bob > {"type":"join","id":5,"room":"r","epoch":"$epoch","seq":4}
bob < {"type":"ok","id":5,"recovered":true,"messages":[{"type":"unbanned","seq":5}]}



=== TEST 4: an inbox is resumed and paged as any room
--- chat
ann connect /chat?user=ann
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"@$who"}
$who < {"type":"ok","id":1,"room":"@$who","epoch":"$epoch$who","seq":0}
end
bob drop
for n 1..20
ann > {"type":"send","id":"s$n","to":"bob","text":"m$n"}
ann skip {"type":"ok","id":"s$n","seq":$n}
end
ann > {"type":"edit","id":2,"room":"@ann","seq":3,"text":"edited"}
ann skip {"type":"ok","id":2,"seq":3}
ann > {"type":"delete","id":3,"room":"@ann","seq":10}
ann skip {"type":"ok","id":3,"seq":10}
bob connect /chat?user=bob same=ann
bob < {"type":"welcome"}
bob > {"type":"join","id":2,"room":"@bob","history":0}
bob < {"type":"ok","id":2,"seq":22,"epoch":"$bobs","unread":19,"messages":[]}
bob > {"type":"join","id":3,"room":"@bob","epoch":"$bobs","seq":1}
bob < {"type":"ok","id":3,"recovered":true,"seq":22,"messages":[ \
    {"room":"@bob","seq":2,"text":"m2"}, \
    {"room":"@bob","seq":3,"text":"edited","edited":"%int"},{"seq":4}, \
    {"seq":5},{"seq":6},{"seq":7},{"seq":8}]}
bob < {"type":"message","room":"@bob","seq":9,"text":"m9","to":"bob"}
bob < {"type":"message","room":"@bob","seq":10,"text":"%absent","deleted":"%int"}
for n 11..20
bob < {"type":"message","room":"@bob","seq":$n,"text":"m$n"}
end
bob < {"type":"edited","room":"@bob","seq":21,"target":3}
bob < {"type":"deleted","room":"@bob","seq":22,"target":10}
bob > {"type":"history","id":4,"room":"@bob","before":5,"limit":2}
bob < {"type":"ok","id":4,"messages":[{"seq":3,"text":"edited"},{"seq":4}],"more":true}
bob > {"type":"history","id":5,"room":"@bob","before":3,"limit":2}
bob < {"type":"ok","id":5,"messages":[{"seq":1},{"seq":2}],"more":false}
bob > {"type":"history","id":6,"room":"@bob","after":20,"limit":2}
bob < {"type":"ok","id":6,"messages":[{"type":"edited"},{"type":"deleted"}],"more":false}
