package ChatServer;

# Copyright (C) the chat module's authors

# An nginx with a configuration file of its own, for the tests in which
# foreign clients (node, python, a browser) are the peers, and a way to play
# their scripts: a script prints lines,
#
#     ok - name, not ok - name        a result, becomes one of this test's
#     # text                          a remark
#     do reload                       asks for an action, see action();
#                                     it is answered by a line on stdin
#     end                             the script has come to its end
#
# Stopping checks error.log: no line above "error" but those allowed.

use strict;
use warnings;

use Cwd ();
use File::Basename ();
use File::Path ();
use IO::Handle;
use IO::Socket::INET;
use IPC::Open2;
use POSIX ();
use Test::More ();
use Time::HiRes ();

our $top = Cwd::realpath(File::Basename::dirname(__FILE__) . '/../..');

# Two runs in the same checkout need two of these

sub root { return $ENV{TEST_CHAT_ROOT} || "$top/build/t" }


# A checking nginx is slower

my $slowness = $ENV{TEST_NGINX_SLOWNESS} || 1;

my $timeout = $ENV{TEST_CHAT_TIMEOUT} || 120 * $slowness;


# ChatServer->new(name => 'wss', conf => 'wss.conf')
#
# name: of the folder under build/; conf: a file in conf/examples, or config:
# the text itself, of which every "listen" gets a free port; prepare: called
# with the object when the folder is there and before nginx starts.

sub new {
    my ($class, %args) = @_;

    my $self = bless { allowed => [], ports => {}, %args }, $class;

    $self->{dir} = root() . "/$self->{name}";

    return $self;
}


sub start {
    my ($self) = @_;

    File::Path::remove_tree($self->{dir});
    File::Path::make_path(map { "$self->{dir}/$_" } qw(logs temp certs));

    symlink("$top/conf/examples/html", "$self->{dir}/html");

    $self->write_conf();
    $self->{prepare}->($self) if $self->{prepare};

    if ($self->run_nginx('-t') != 0) {
        Test::More::diag($self->error_log());
        die "$self->{name}: nginx -t fails\n";
    }

    if ($self->run_nginx() != 0 || !$self->answers()) {
        Test::More::diag($self->error_log());
        die "$self->{name}: nginx does not start\n";
    }

    my $up = wait_for(sub {
        ($self->{master}) = read_file("$self->{dir}/nginx.pid") =~ /(\d+)/;
        return $self->workers();
    });

    die "$self->{name}: there are no workers\n" unless $up;

    return $self;
}


# A port of the configuration, as it is here

sub port {
    my ($self, $port) = @_;

    return $self->{ports}{$port || 8080};
}


sub dir { return $_[0]->{dir} }


sub write_conf {
    my ($self) = @_;

    my $conf = $self->{config};

    if (!defined $conf) {
        $conf = read_file("$top/conf/examples/$self->{conf}");
    }

    $conf =~ s/^load_module .*\n//mg;
    $conf =~ s/^(\s*listen )(\d+)/$1 . $self->listen($2)/mge;
    $conf =~ s/^http \{\n/"http {\n" . $self->paths()/me;

    write_file("$self->{dir}/nginx.conf", $self->globals() . $conf);
    write_file("$self->{dir}/mime.types", "types { text/html html; "
               . "text/css css; text/javascript js; image/svg+xml svg; }\n");
}


sub listen {
    my ($self, $port) = @_;

    $self->{ports}{$port} ||= free_port();

    return "127.0.0.1:$self->{ports}{$port}";
}


# What lies elsewhere in a packaged nginx, often where only root may write

sub paths {
    my ($self) = @_;

    my $without = `@{[nginx()]} -V 2>&1`;
    my $paths = "    log_format served '\$pid \$status \$request';\n"
                . "    access_log logs/access.log served;\n"
                . "    client_body_temp_path temp/body;\n";

    for my $module (qw(proxy fastcgi uwsgi scgi)) {
        if ($without !~ /without-http_${module}_module/) {
            $paths .= "    ${module}_temp_path temp/$module;\n";
        }
    }

    return $paths;
}


sub globals {
    my ($self) = @_;

    my $modules = $ENV{TEST_NGINX_LOAD_MODULES};
    my $built = "$top/build/ngx_http_chat_module.so";

    if (!defined $modules) {
        $modules = -e $built ? $built : '';
    }

    my @lines = map { "load_module " . Cwd::abs_path($_) . ';' }
                split ' ', $modules;

    push @lines, 'pid nginx.pid;', 'error_log logs/error.log notice;';

    if ($> == 0) {
        push @lines, 'user root;';      # the checkout may be readable to root
    }

    return join("\n", @lines, '');
}


sub nginx { return $ENV{TEST_NGINX_BINARY} || 'nginx' }


# stdin and stdout closed: a daemon that keeps them holds up prove

sub run_nginx {
    my ($self, @args) = @_;

    my $pid = fork() // die "fork: $!";

    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/logs/start.log";
        open STDERR, '>&', \*STDOUT;
        exec(nginx(), '-p', "$self->{dir}/", '-c', "$self->{dir}/nginx.conf",
             '-e', 'logs/error.log', @args) or POSIX::_exit(127);
    }

    waitpid($pid, 0);

    return $?;
}


sub answers {
    my ($self) = @_;

    for my $port (values %{$self->{ports}}) {
        wait_for(sub { IO::Socket::INET->new("127.0.0.1:$port") })
            or return 0;
    }

    return 1;
}


# The pids of the workers, without those that are shutting down; valgrind
# shows no process by another name than it had at first

sub workers {
    my ($self) = @_;

    my $master = $self->{master} or return;

    return grep { read_file("/proc/$_/cmdline") !~ /is shutting down/ }
           map { m{/proc/(\d+)/} }
           grep { read_file($_) =~ /^\d+ \(.*\) [^Z] $master / }
           glob '/proc/[0-9]*/stat';
}


sub reload {
    my ($self) = @_;

    my %old = map { $_ => 1 } $self->workers();

    kill 'HUP', $self->{master};

    return wait_for(sub {
        my @now = $self->workers();
        return @now >= keys %old && !grep { $old{$_} } @now;
    });
}


sub kill_worker {
    my ($self, $pid) = @_;

    my $n = $self->workers();

    push @{$self->{allowed}}, qr/worker process $pid exited on signal 9/;
    kill 'KILL', $pid;

    return wait_for(sub {
        my @now = $self->workers();
        return @now == $n && !grep { $_ == $pid } @now;
    });
}


# The worker that answered the last request with this text in its first line:
# the access log is written at the upgrade

sub worker_of {
    my ($self, $text) = @_;

    return wait_for(sub {
        my @lines = grep { /^\d+ 101 .*\Q$text\E/ } split /\n/,
                         read_file("$self->{dir}/logs/access.log");
        return @lines && (split ' ', $lines[-1])[0];
    });
}


# What a script may ask for; the answer is a line

sub action {
    my ($self, $what, @args) = @_;

    return $self->reload() ? 'done' : 'failed' if $what eq 'reload';
    return $self->kill_worker(@args) ? 'done' : 'failed' if $what eq 'kill';
    return $self->worker_of(@args) || 'none' if $what eq 'worker';

    die "a script asks for \"$what\"";
}


# Plays a script: its results become this test's

sub play {
    my ($self, @command) = @_;

    my ($ended, $alive) = (0, 1);
    my $pid = open2(my $out, my $in, @command);

    $in->autoflush(1);

    local $SIG{ALRM} = sub { $alive = 0; kill 'KILL', $pid };
    local $SIG{PIPE} = 'IGNORE';
    alarm $timeout;

    while (my $line = <$out>) {
        chomp $line;

        if ($line =~ /^(not )?ok - (.*)/) {
            Test::More::ok(!$1, $2);

        } elsif ($line =~ /^do (.*)/) {
            print {$in} $self->action(split ' ', $1), "\n";

        } elsif ($line eq 'end') {
            $ended = 1;

        } else {
            Test::More::diag($line);
        }
    }

    waitpid($pid, 0);
    alarm 0;

    Test::More::ok($ended && $? == 0, 'the script came to its end')
        or Test::More::diag($alive ? "status $?" : "stopped after ${timeout}s");
}


sub error_log {
    my ($self) = @_;

    return join '', map { read_file("$self->{dir}/logs/$_") }
                    qw(start.log error.log);
}


sub stop {
    my ($self) = @_;

    my $pid = $self->{master};

    kill 'QUIT', $pid;

    my $gone = wait_for(sub { !kill(0, $pid) });

    kill 'KILL', $pid unless $gone;
    Test::More::ok($gone, "$self->{name}: nginx stops by itself");

    my @bad = grep { /\[(?:alert|crit|emerg)\]|exited on signal/ }
              split /\n/, $self->error_log();

    for my $allowed (@{$self->{allowed}}) {
        @bad = grep { !/$allowed/ } @bad;
    }

    Test::More::is(join("\n", @bad), '', "$self->{name}: a clean error log");
    $self->{stopped} = 1;
}


sub DESTROY {
    my ($self) = @_;

    local ($?, $!);

    if ($self->{master} && !$self->{stopped}) {
        kill 'TERM', $self->{master};
    }
}


# The command that runs a node script, or nothing and why

sub node {
    my (@modules) = @_;

    my $dir = $ENV{TEST_NODE_MODULES} || "$top/build/node/node_modules";

    $ENV{TEST_NODE_MODULES} = $dir;

    return (undef, 'no node here') if system('node --version >/dev/null 2>&1');

    for my $module (@modules) {
        return (undef, "no npm module \"$module\", \"make test\" installs it")
            unless -d "$dir/$module";
    }

    return ('node');
}


sub free_port {
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
        or die "no free port: $@";

    return $socket->sockport();
}


sub wait_for {
    my ($condition) = @_;

    for (1 .. 400 * $slowness) {
        my $value = $condition->();
        return $value if $value;
        Time::HiRes::sleep(0.025);
    }

    return undef;
}


sub read_file {
    my ($name) = @_;

    open my $file, '<', $name or return '';
    local $/;

    return scalar <$file> // '';
}


sub write_file {
    my ($name, $text) = @_;

    open my $file, '>', $name or die "$name: $!";
    print {$file} $text;
    close $file or die "$name: $!";
}


1;
