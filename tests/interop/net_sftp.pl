# Perl's Net::SFTP::Foreign, which speaks through OpenSSH's ssh. Arguments: port, account, file, options for ssh.
use strict;
use warnings;
use Net::SFTP::Foreign;

my ($port, $account, $file, @options) = @ARGV;
my $sftp = Net::SFTP::Foreign->new("$account\@127.0.0.1", port => $port, timeout => 120, more => \@options);
$sftp->die_on_error('connect');

sub need { $_[0] or die "$_[1]: " . $sftp->error; return $_[0] }

# By default it copies time and mode of the file, and looks at the length afterwards.
need($sftp->put($file, 'foreign.hl7'), 'put');
need($sftp->put($file, 'foreign-atomic.hl7', atomic => 1, copy_perm => 0, copy_time => 0), 'put by a temporary name');
need($sftp->stat('inbox/foreign.hl7')->size == -s $file, 'stat');
my @names = map { $_->{filename} } @{need($sftp->ls('inbox'), 'ls')};
foreach my $wanted ('foreign.hl7', 'foreign-atomic.hl7') {
    need((grep { $_ eq $wanted } @names), "ls does not show $wanted");
}
need(!$sftp->get('inbox/foreign.hl7', '/dev/null'), 'an accepted file was read back');
