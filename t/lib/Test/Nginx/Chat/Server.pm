package Test::Nginx::Chat::Server;

# What a conversation does to nginx itself, and what it reads of it: workers,
# signals, logs.  Everything that is waited for is waited for by its sign, in
# the loop of the clients, which go on answering meanwhile.

use v5.10.1;
use strict;
use warnings;

use POSIX qw( WNOHANG );

use Test::Nginx::Chat::Client;


# pid: the master's; logs: folder; workers: how many; time: longest wait.

sub new {
    my ($class, %opt) = @_;

    return bless { %opt }, $class;
}


sub workers {
    my ($self) = @_;

    my %worker;

    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $in, '<', $stat or next;
        my ($pid, $state, $parent) = (<$in> // '') =~ /^(\d+) .*\) (\S) (\d+)/
            or next;
        $worker{$pid} = 1 if $parent == $self->{pid} && $state ne 'Z';
    }

    return %worker;
}


sub wait_for {
    my ($self, $what, $condition) = @_;

    Test::Nginx::Chat::Client->until($self->{time}, $condition)
        or die "$what did not happen in $self->{time}s\n";
}


sub alive {
    my ($pid) = @_;

    waitpid $pid, WNOHANG;
    open my $in, '<', "/proc/$pid/stat" or return 0;
    return (<$in> // '') !~ /^\d+ .*\) Z/;
}


# A worker is killed; one of an old generation will have no successor.

sub slay {
    my ($self, $pid) = @_;

    kill 'KILL', $pid;
    $self->wait_for('the end of a worker', sub { !alive($pid) });
}


# A worker is killed, and another one stands in its place.

sub kill_worker {
    my ($self, $pid) = @_;

    my %old = $self->workers;

    $self->slay($pid);
    $self->wait_for_another(%old);
}


sub wait_for_another {
    my ($self, %old) = @_;

    $self->wait_for('a new worker', sub {
        my %now = $self->workers;
        return grep { !$old{$_} } keys %now;
    });
}


# The new workers run, and the old ones take no more connections.

sub reload {
    my ($self) = @_;

    my %old = $self->workers;

    kill 'HUP', $self->{pid};

    $self->wait_for('a new generation of workers', sub {
        my %now = $self->workers;
        return $self->{workers} <= grep { !$old{$_} } keys %now;
    });

    # there may be some of an earlier reload among them, who have said so
    # long ago or are gone by now

    $self->wait_for('the old workers\' shutdown', sub {
        return !grep {
            alive($_)
            && !$self->count_log(qr/ $_#\d+: gracefully shutting down/)
        } keys %old;
    });

    $self->{old} = { %old };
}


sub old_gone {
    my ($self) = @_;

    $self->wait_for('the end of the old workers', sub {
        return !grep { alive($_) } keys %{ $self->{old} };
    });
}


sub signal {
    my ($self, $name) = @_;

    kill $name, $self->{pid};
}


sub freeze {
    my ($self, $pid) = @_;

    kill 'STOP', $pid;
    $self->{frozen}{$pid} = 1;
    $self->wait_for('a stopped worker', sub {
        open my $in, '<', "/proc/$pid/stat" or return 0;
        return (<$in> // '') =~ /^\d+ .*\) T/;
    });
}


sub thaw {
    my ($self) = @_;

    kill 'CONT', keys %{ $self->{frozen} };
    delete $self->{frozen};
}


sub gone {
    my ($self) = @_;

    return !alive($self->{pid});
}


# Ends nginx, gently as long as that works.  Returns what went wrong.

sub stop {
    my ($self) = @_;

    $self->thaw;
    my $pid = $self->{pid};
    my @family = ($pid, keys %{ { $self->workers } });

    kill 'QUIT', $pid;
    return if Test::Nginx::Chat::Client->until($self->{time}, sub {
        return !grep { alive($_) } @family;
    });

    my @left = grep { alive($_) } @family;

    kill 'TERM', $pid;
    Test::Nginx::Chat::Client->until(2, sub { !grep { alive($_) } @left });
    kill 'KILL', grep { alive($_) } @left;
    Test::Nginx::Chat::Client->until(2, sub { !grep { alive($_) } @left });

    return "nginx did not quit in $self->{time}s, @left were left";
}


sub log {
    my ($self, $name) = @_;

    open my $in, '<', "$self->{logs}/" . ($name || 'error.log') or return;
    my @lines = <$in>;
    return @lines;
}


sub count_log {
    my ($self, $regex, $name) = @_;

    return scalar grep { $_ =~ $regex } $self->log($name);
}


# Memory of all workers that is theirs alone, in KiB.

sub memory {
    my ($self) = @_;

    my %worker = $self->workers;
    my $sum = 0;

    for my $pid (keys %worker) {
        open my $in, '<', "/proc/$pid/smaps_rollup" or next;
        /^Private_(?:Clean|Dirty):\s+(\d+)/ && ($sum += $1) while <$in>;
    }

    return $sum;
}


# How much more that is than it was; an allocator that checks takes what it
# likes, and nothing is said of it.

sub grown {
    my ($self, $before) = @_;

    return 0 if $ENV{VALGRIND_OPTIONS} || $ENV{ASAN_OPTIONS};
    return $self->memory - $before;
}


1;
