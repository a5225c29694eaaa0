#!/usr/bin/perl

# Copyright (C) the chat module's authors

# The examples on the client modules' page do what it says.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use ChatServer;
use Test::More;

my ($node, $why) = ChatServer::node('ws');
plan(skip_all => $why) unless $node;

my $server = ChatServer->new(name => 'docs_client', config => <<'EOC')->start();
worker_processes 2;

events {
}

http {
    chat_zone chat:4m;

    map $arg_user $role {
        olga  owner;
    }

    server {
        listen 8080;

        location /chat {
            chat            chat;
            chat_user       $arg_user;
            chat_user_role  $role;
        }
    }
}
EOC

$server->play($node, "$ChatServer::top/t/clients/docs.mjs",
              '127.0.0.1:' . $server->port());
$server->stop();

done_testing();
