
# Tests for the upgrade of nginx's binary (USR2): what of a chat goes on, and
# what does not.  The zone is memory of the old master's family alone.

# nginx starts itself by the name that it was called by

BEGIN {
    my $name = $ENV{TEST_NGINX_BINARY} || 'nginx';

    ($ENV{TEST_NGINX_BINARY}) = grep { -x } map { "$_/$name" }
                                split(/:/, $ENV{PATH}), '/usr/sbin'
        if $name !~ m{/};
}

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:4m;');

default_config(<<'_EOC_');
    location /chat {
        chat              chat;
        chat_user         $arg_user;
        chat_close_delay  500ms;
    }
_EOC_

play();

our (%Master, %New);


# both masters are there with all of their workers

sub upgrade {
    my ($script) = @_;

    my $server = $script->{server};
    my $file = "$server->{logs}/nginx.pid";
    my $old = $server->{pid};
    my $new;

    kill 'USR2', $old;

    $server->wait_for('a new master', sub {
        return if !-f "$file.oldbin" || !-s $file;
        open my $in, '<', $file or return;
        $new = <$in> // '';
        chomp $new;
        return $new =~ /^\d+$/ && $new != $old;
    });

    $server->{pid} = $new;
    $server->wait_for('new workers', sub {
        my %now = $server->workers;
        return keys %now == $server->{workers};
    });

    %Master = (old => $old, new => $new);
    %New = $server->workers;
}

# connects until the client is at a worker of that master

sub connect_to {
    my ($script, $who, $which) = @_;

    for my $try (1 .. 200) {
        $script->connect($who, "/chat?user=$who");
        my $pid = $script->client($who)->{worker};
        return if !!$New{$pid} == ($which eq 'new');
    }

    die "no worker of the $which master\n";
}


# that master ends, and the conversation goes on with the other

sub ends {
    my ($script, $which) = @_;

    my $server = $script->{server};
    my $pid = $Master{$which};

    kill 'QUIT', $pid;
    $server->{pid} = $Master{$which eq 'old' ? 'new' : 'old'};
    $server->wait_for("the end of the $which master", sub {
        return !Test::Nginx::Chat::Server::alive($pid);
    });
}


# descriptors to wake workers: a new master has its own, and no others'

sub same_descriptors {
    my ($old, $new) = map {
        my $pid = $_;
        scalar grep { (readlink // '') =~ /eventfd/ } glob "/proc/$pid/fd/*";
    } @Master{qw( old new )};

    die "old master $old, new master $new\n" if $old == 0 || $old != $new;
}

__DATA__

=== TEST 1: old and new side by side are two chats, and the old one ends
--- chat
timeout 20s
a connect /chat?user=a
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"epoch":"$epoch"}
a > {"type":"send","room":"lobby","text":"m1"}
a seqs 1..1
perl upgrade
perl same_descriptors
perl connect_to b new
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby","epoch":"$epoch","seq":1}
b < {"type":"ok","id":1,"recovered":false,"seq":0,"members":1,"epoch":"$another"}
ok $epoch ne $another
perl connect_to c old
c < {"type":"welcome"}
c > {"type":"join","id":1,"room":"lobby","epoch":"$epoch","seq":0}
c < {"type":"ok","id":1,"recovered":true,"seq":1,"members":2}
c > {"type":"send","room":"lobby","text":"m2 of the old"}
a seqs 2..2
b > {"type":"send","room":"lobby","text":"m1 of the new"}
b < {"type":"message","seq":1,"text":"m1 of the new"}
perl ends old
for who a c
$who skip {"type":"bye"}
$who closed 1001
end
a connect /chat?user=a
a < {"type":"welcome"}
a > {"type":"join","id":2,"room":"lobby","epoch":"$epoch","seq":2}
a < {"type":"ok","id":2,"recovered":false,"epoch":"$another","seq":1}
b > {"type":"send","room":"lobby","text":"m2 of the new"}
a seqs 2..2
b seqs 2..2



=== TEST 2: back to the old binary: its clients notice nothing
--- chat
timeout 20s
a connect /chat?user=a
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"epoch":"$epoch"}
perl upgrade
perl connect_to b new
b < {"type":"welcome"}
a > {"type":"send","room":"lobby","text":"m1"}
a seqs 1..1
perl ends new
b skip {"type":"bye"}
b closed 1001
b connect /chat?user=b
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby","epoch":"$epoch","seq":0}
b < {"type":"ok","id":1,"recovered":true,"messages":[{"seq":1,"text":"m1"}]}
b > {"type":"send","room":"lobby","text":"m2"}
a seqs 2..2
