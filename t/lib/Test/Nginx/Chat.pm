package Test::Nginx::Chat;

# Conversations of WebSocket clients with nginx, on top of Test::Nginx: a
# block's "--- chat" section is played against the nginx of its "--- config"
# and "--- http_config".  Afterwards nginx is told to quit, and must do so in
# time and without a line in its error log that speaks of a fault, but those
# that the block's "--- faults" section (a regex a line) declares; and each
# of these must have come.

use Cwd ();

# nothing is left in the tree but below build/
BEGIN {
    mkdir 'build';
    $ENV{TEST_NGINX_SERVROOT} ||= Cwd::abs_path('build') . '/servroot';
}

use Test::Nginx::Socket -Base;

use v5.10.1;

use Test::More ();

use Test::Nginx::Util ();

use Test::Nginx::Chat::Client;
use Test::Nginx::Chat::Script;
use Test::Nginx::Chat::Server;

our @EXPORT = qw( arguments_config default_config default_http_config play );

my $Config = <<'_EOC_';
    location /chat {
        chat       chat;
        chat_user  $arg_user;
    }
_EOC_

# who somebody is and what he may do, by what he asks for
my $ArgumentsConfig = <<'_EOC_';
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_user_name  $arg_name;
        chat_user_role  $arg_role;
    }
_EOC_

my $HttpConfig = <<'_EOC_';
    chat_zone  chat:4m;
_EOC_

my $Fault = qr/\[(?:alert|crit|emerg)\]|exited on signal
               |AddressSanitizer|runtime\ error:/x;

# a checking nginx is slower
my $Slowness = $ENV{TEST_NGINX_SLOWNESS} || 1;

my $OriginalHelper = $Test::Nginx::Util::RunTestHelper;

$Test::Nginx::Util::RunTestHelper = \&play_block;

# connections spread over the workers by the kernel, from the first one on
$Test::Nginx::Util::ReusePort = 1;

workers(2);
master_on();
worker_connections(1024);
log_level($ENV{TEST_NGINX_LOG_LEVEL} || 'info');
timeout(5 * $Slowness);
no_long_string();
no_shuffle();
config_preamble("        add_header  X-Worker \$pid always;\n");
find_module();

add_block_preprocessor(\&complete_block);


sub default_config (@) {
    $Config = shift;
}


sub arguments_config () {
    $Config = $ArgumentsConfig;
}


sub default_http_config (@) {
    $HttpConfig = shift;
}


sub play () {
    run_tests();
    Test::More::done_testing();
}


# nginx takes a module's path from its own prefix on

sub find_module () {
    my @names = split ' ', $ENV{TEST_NGINX_LOAD_MODULES}
                           // 'build/ngx_http_chat_module.so';

    @names = grep { defined $ENV{TEST_NGINX_LOAD_MODULES} || -f $_ } @names;
    $Test::Nginx::Util::LoadModules =
        join ' ', map { -f $_ ? Cwd::abs_path($_) : $_ } @names;
}


sub complete_block (@) {
    my ($block) = @_;

    if (!defined $block->config) {
        $block->set_value('config', $Config);
    }

    if (!defined $block->http_config) {
        $block->set_value('http_config', $HttpConfig);
    }

    # what most conversations are not about, unless they speak of it

    my $all = $block->http_config . $block->config;

    for my $off (qw( chat_rate chat_presence )) {
        if ($all =~ /chat_zone/ && $all !~ /\b$off\b/) {
            $block->set_value('http_config',
                              $block->http_config . "    $off off;\n");
        }
    }

    if ($block->config =~ /ssl_certificate/) {
        $block->set_value('post_setup_server_root',
                          'Test::Nginx::Chat::make_certificate()');
    }
}


sub make_certificate () {
    my $dir = Test::Nginx::Util::server_root() . '/html';

    system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=chat"
           . " -keyout $dir/chat.key -out $dir/chat.crt >/dev/null 2>&1") == 0
        or die "openssl makes no certificate\n";
}


sub play_block (@) {
    my ($block, $dry_run, $index) = @_;

    if (!defined $block->chat) {
        return $OriginalHelper->($block, $dry_run, $index);
    }

    my $name = $block->name;
    my $server = new_server($block);

    my $script = Test::Nginx::Chat::Script->new(
        port     => Test::Nginx::Util::server_port_for_client(),
        server   => $server,
        timeout  => 5 * $Slowness,
        slowness => $Slowness,
        report   => sub { report($name, @_) },
        try_conf => \&try_conf,
    );

    # for the Perl in a conversation
    $main::Script = $script;
    $main::Server = $server;

    my $text = Test::Nginx::Util::expand_env_in_text($block->chat, $name,
                                     $Test::Nginx::Util::RandPorts);
    my $good = $script->run($text);

    Test::Nginx::Chat::Client::drop_all();

    my $left = $server->stop;
    Test::More::ok(!$left, "$name - nginx quits") or Test::More::diag($left);

    my @strange = strange_lines($server, $block->faults);
    Test::More::ok(!@strange, "$name - no fault in the error log")
        or Test::More::diag(join '', @strange[0 .. ($#strange > 9 ? 9 : -1)],
                            @strange > 10 ? () : @strange);

    if (!$good && $ENV{TEST_CHAT_LOG}) {
        Test::More::diag($server->log);
    }
}


sub new_server (@) {
    my ($block) = @_;

    my $root = Test::Nginx::Util::server_root();

    # the daemon writes it when the process that was waited for has ended
    Test::Nginx::Chat::Client->until(5 * $Slowness, sub {
        return -s "$root/logs/nginx.pid";
    });

    my $pid = Test::Nginx::Util::get_pid_from_pidfile($block->name);

    return Test::Nginx::Chat::Server->new(
        pid     => $pid,
        logs    => "$root/logs",
        conf    => "$root/conf/nginx.conf",
        workers => workers(),
        time    => ($block->quit_time || 10) * $Slowness,
    );
}


sub report (@) {
    my ($name, $good, $step, $why) = @_;

    $step = substr($step, 0, 150) . '...' if length $step > 150;
    $step =~ s/([^\x20-\x7e])/sprintf '\\x%02x', ord $1/ge;
    $step =~ s/#/\\#/g;

    Test::More::ok($good, "$name - $step") or Test::More::diag($why);
}


sub strange_lines (@) {
    my ($server, $declared) = @_;

    my @lines = grep { $_ =~ $Fault } $server->log;
    my @missing;

    for my $re (grep { /\S/ } split /\n/, $declared // '') {
        my $n = @lines;
        @lines = grep { $_ !~ /$re/ } @lines;
        push @missing, "no line like: $re\n" if $n == @lines;
    }

    return (@lines, @missing);
}


# "nginx -t" on a configuration of its own, with the text at one level:
# main, http, server, location (which is not a chat's yet), chat.

sub try_conf (@) {
    my ($level, $text) = @_;

    my $root = Test::Nginx::Util::server_root();
    my $file = "$root/conf/try.conf";
    my %at = (main => '', http => '', server => '', location => '',
              chat => '', $level => $text);
    my $zone = $level eq 'http' ? '' : 'chat_zone chat:1m;';
    my $chat = $level eq 'chat' ? 'chat chat;' : '';
    my $port = Test::Nginx::Util::server_port();
    my $load = join ' ', map { "load_module $_;" }
                         split ' ', $Test::Nginx::Util::LoadModules // '';

    open my $out, '>', $file or die "$file: $!\n";
    print $out <<_EOC_;
$load
pid $root/logs/try.pid;
error_log stderr;
$at{main}
events { }
http {
    access_log off;
    $zone
    $at{http}
    server {
        listen 127.0.0.1:$port;
        $at{server}
        location /chat { $chat $at{chat} $at{location} }
    }
}
_EOC_
    close $out or die "$file: $!\n";

    my $command = "$Test::Nginx::Util::NginxBinary -e $root/logs/try.log"
                  . " -t -p $root/ -c $file 2>&1";
    my $said = `$command`;

    return ($?, $said);
}


1;
