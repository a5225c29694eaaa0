#!/usr/bin/perl

# Copyright (C) the chat module's authors

# Each configuration conf/examples/door_*.conf lets in whom it ought to, and
# nobody else: before the 101, and with the refusal's status in the access log.
# Those that decide about rooms do so on each of two workers.

use strict;
use warnings;

use File::Basename;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatServer;
use Test::More;

my ($node, $why) = ChatServer::node('ws');
plan(skip_all => $why) unless $node;

plan(skip_all => 'no openssl to make certificates')
    if system('openssl version >/dev/null 2>&1');

my $script = "$ChatServer::top/t/clients/doors.mjs";

my %prepare = (passwords => \&make_passwords, network => \&make_passwords,
               certificate => \&make_certificates, hardened => \&make_hardened,
               rules => \&make_secret, backend => \&make_secret,
               revoked => \&make_revoked);

my %two = (rules => 1, backend => 1, revoked => 1);

for my $file (sort glob "$ChatServer::top/conf/examples/door_*.conf") {
    my ($door) = $file =~ /door_(\w+)\.conf$/;
    my $config = ChatServer::read_file($file);
    my $behind = 0;

    if ($config =~ /127\.0\.0\.1:(?:4180|8000)/) {
        $behind = ChatServer::free_port();
        $config =~ s/127\.0\.0\.1:(?:4180|8000)/127.0.0.1:$behind/g;
    }

    if ($two{$door}) {
        $config =~ s/worker_processes auto/worker_processes 2/;
        $config =~ s/listen 8080;/listen 8080 reuseport;
                                  add_header X-Worker \$pid always;/;
    }

    my $server = ChatServer->new(name => "door_$door", config => $config,
                                 prepare => $prepare{$door})->start();

    $server->play($node, $script, $door,
                  $server->port($config =~ /listen 443/ ? 443 : 8080),
                  $server->dir(), $behind || $server->port(80) || 0);

    $server->stop();
}

done_testing();


sub make_passwords {
    my ($server) = @_;

    ChatServer::write_file($server->dir() . '/chat.htpasswd',
                           join '', map { "$_:{PLAIN}$_-secret\n" }
                                    qw(alice bob carol));
}


# An authority whose users come in, another one, and a user of each

sub make_certificates {
    my ($server) = @_;

    server_certificate($server);

    my $dir = $server->dir() . '/certs';

    for my $authority (qw(users others)) {
        openssl("req -x509 -newkey rsa:2048 -nodes -days 2 "
                . "-subj /CN=$authority -keyout $dir/$authority.key "
                . "-out $dir/$authority.pem");
    }

    certificate($dir, 'alice', 'users', '/O=Example/OU=moderators/CN=alice');
    certificate($dir, 'bob', 'users', '/O=Example/OU=staff/CN=bob');
    certificate($dir, 'nobody', 'users', '/O=Example/CN=no name like this');
    certificate($dir, 'mallory', 'others', '/O=Example/CN=alice');
}


sub certificate {
    my ($dir, $name, $authority, $subject) = @_;

    openssl("req -newkey rsa:2048 -nodes -subj '$subject' "
            . "-keyout $dir/$name.key -out $dir/$name.csr");
    openssl("x509 -req -in $dir/$name.csr -CA $dir/$authority.pem "
            . "-CAkey $dir/$authority.key -CAcreateserial -days 2 "
            . "-out $dir/$name.pem");
}


sub make_hardened {
    my ($server) = @_;

    server_certificate($server);
    make_revoked($server);
}


sub make_secret {
    my ($server) = @_;

    ChatServer::write_file($server->dir() . '/chat.secret', 'x' x 64);
}


sub make_revoked {
    my ($server) = @_;

    make_secret($server);
    ChatServer::write_file($server->dir() . '/chat.revoked', '');
}


sub server_certificate {
    my ($server) = @_;

    my $name = $server->dir() . '/certs/example.com';

    openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=example.com "
            . "-addext subjectAltName=DNS:example.com,DNS:localhost "
            . "-keyout $name.key -out $name.pem");
}


sub openssl {
    my ($command) = @_;

    system("openssl $command >/dev/null 2>&1") == 0
        or die "openssl makes no certificate: $command\n";
}
