#!/usr/bin/perl

# Copyright (C) the chat module's authors

# docs/directives.md and the source say the same: each directive of the
# commands table and each variable has its place on the page with the right
# contexts, and the page names no others; its defaults and examples are
# accepted by "nginx -t", and its links lead somewhere.

use strict;
use warnings;

use Cwd ();
use File::Path ();
use FindBin;
use Test::More;

my $top = Cwd::realpath("$FindBin::Bin/..");
my $root = $ENV{TEST_CHAT_ROOT} || "$top/build/t";
my $dir = "$root/docs_directives";

my $page = slurp("$top/docs/directives.md");
my $commands = slurp("$top/src/http/ngx_http_chat_module.c");
my $variables = slurp("$top/src/http/ngx_http_chat_variables.c");

my %table = commands($commands);
my %section = sections($page);

cmp_ok(scalar(keys %table), '>', 10, 'the commands table can be read');
is_deeply([sort keys %section], [sort keys %table],
          'the page has the directives of the table');
is_deeply([sort($page =~ /^\| `\$(\w+)(?:<\w+>)?` \|/mg)],
          [sort($variables =~ /ngx_string\("(chat_\w+)"\)/g)],
          'the page has the variables of the table');

for my $name (sort keys %section) {
    check($name, $section{$name});
}

links();
configurations();

done_testing();


# "chat_zone" => "http", as the flags in the source say

sub commands {
    my ($source) = @_;

    my %contexts = (NGX_HTTP_MAIN_CONF => 'http',
                    NGX_HTTP_LOC_CONF => 'location',
                    NGX_HTTP_CHAT_ALL_CONF => 'http, server, location');
    my %table;

    while ($source =~ /\{ ngx_string\("(chat\w*)"\),\s+(\w+)\|/g) {
        $table{$1} = $contexts{$2} || "unknown flag $2";
    }

    return %table;
}


# "chat_zone" => the text under "## chat_zone"

sub sections {
    my ($text) = @_;

    return map { /^(chat\w*)\n(.*)/s ? ($1, $2) : () }
           split(/^## /m, $text);
}


sub check {
    my ($name, $text) = @_;

    like($text, qr/^\| Syntax \| `\Q$name\E [^`]*;`/m, "$name: syntax");
    like($text, qr/^\| Default \| (?:`\Q$name\E [^`]+;`|\x{2013}) \|$/m,
         "$name: default");
    like($text, qr/^\| Context \| \Q$table{$name}\E \|$/m, "$name: context")
        if $table{$name};
    like($text, qr/^\| Since \| \d+\.\d+ \|$/m, "$name: since");
    like($text, qr/^At the limit: \S/m, "$name: what happens at the limit");
    like($text, qr/^See also: \S/m, "$name: see also");

    is(() = $text =~ /^```nginx (?:http|server|location)$/mg, 1,
       "$name: one example");
    like($text, qr/^```nginx \w+\n(?:.*\n)*?\s*\Q$name\E .*;?\n(?:.*\n)*?```$/m,
         "$name: the example shows it");
}


sub links {
    my %anchors = map { my $a = lc; $a =~ s/[^\w -]//g; $a =~ s/ /-/g; $a => 1 }
                  $page =~ /^##? (.*)/mg;

    my @lost = grep { !$anchors{$_} } $page =~ /\]\(#([^)]*)\)/g;
    is("@lost", '', 'links within the page lead to its headings');

    for my $link ($page =~ /\]\(([^#)][^)]*)\)/g) {
        my ($file) = $link =~ /^([^#]*)/;
        ok(-e "$top/docs/$file", "a link leads to $file");
    }
}


# Each example, and each default by itself, in a configuration around it

sub configurations {
    my $nginx = $ENV{TEST_NGINX_BINARY} || 'nginx';

    SKIP: {
        skip("there is no $nginx", 1)
            if system("$nginx -v >/dev/null 2>&1") != 0;

        File::Path::remove_tree($dir);
        File::Path::make_path("$dir/logs", "$dir/temp");
        key_files();

        for my $name (sort keys %section) {
            my $text = $section{$name};

            while ($text =~ /^```nginx (\w+)\n(.*?)^```$/msg) {
                accepted($nginx, "$name: the example", $1, $2);
            }

            if ($text =~ /^\| Default \| `(.+?)` \|$/m) {
                accepted($nginx, "$name: the default", 'location',
                         "chat chat;\n$1\n");
            }
        }

        # the harness itself would notice a mistake

        my ($status) = nginx_t($nginx, 'location', "chat chat;\nchat_no x;\n");
        isnt($status, 0, 'a directive that is not there is refused');
    }
}


sub accepted {
    my ($nginx, $what, $level, $text) = @_;

    my ($status, $output) = nginx_t($nginx, $level, $text);

    is($status, 0, "$what is accepted") or diag($output, $text);
}


sub nginx_t {
    my ($nginx, $level, $text) = @_;

    $text = "server {\nlocation /chat {\n$text\n}\n}\n" if $level eq 'location';
    $text = "server {\n$text\n}\n" if $level eq 'server';
    $text = "chat_zone chat:1m;\n$text" if $text !~ /chat_zone chat:/;
    $text =~ s/server \{/server {\nlisten unix:$dir\/socket;/g;

    my $load = join '', map { 'load_module ' . Cwd::abs_path($_) . ";\n" }
               split(' ', $ENV{TEST_NGINX_LOAD_MODULES} || '');

    my $temp = join '', map { "${_}_temp_path temp/$_;\n" }
               qw(client_body proxy fastcgi uwsgi scgi);

    open(my $file, '>', "$dir/nginx.conf") or die "$dir/nginx.conf: $!\n";
    print $file "${load}pid nginx.pid;\nerror_log logs/error.log;\n"
                . "events { }\nhttp {\naccess_log off;\n$temp$text}\n";
    close($file);

    my $output = `$nginx -t -p $dir/ -c nginx.conf 2>&1`;

    return ($?, $output);
}


# What the examples name

sub key_files {
    my %text = ('chat.secret' => 'x' x 64, 'jwks.json' => '{"keys":[]}',
                'chat.keys' => '', 'chat.revoked' => '');

    while (my ($name, $text) = each %text) {
        open(my $file, '>', "$dir/$name") or die "$dir/$name: $!\n";
        print $file $text;
        close($file);
    }
}


sub slurp {
    my ($name) = @_;

    open(my $file, '<:encoding(UTF-8)', $name) or die "$name: $!\n";
    local $/;

    return <$file>;
}
