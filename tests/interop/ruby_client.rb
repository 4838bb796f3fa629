# Ruby's Net::FTP and Net::SFTP as a vendor's script would use them. Arguments: send or fetch, FTP port, SFTP port, account,
# password, file.
require 'net/ftp'
require 'net/sftp'

what, port, ssh_port, account, password, file = ARGV
plain = { port: port.to_i, username: account, password: password, open_timeout: 120, read_timeout: 120 }
encrypted = plain.merge(ssl: { verify_mode: OpenSSL::SSL::VERIFY_NONE }, private_data_connection: true)

def need(is_true, what)
  abort what unless is_true
end

{ 'plain' => plain, 'encrypted' => encrypted }.each do |kind, options|
  [true, false].each do |passive|
    ftp = Net::FTP.new('127.0.0.1', options.merge(passive: passive))
    name = "ruby-#{kind}-#{passive}"
    if what == 'send'
      ftp.putbinaryfile(file, "#{name}.hl7")
      ftp.putbinaryfile(file, "#{name}.tmp")
      ftp.rename("#{name}.tmp", "#{name}-renamed.hl7")
      need ftp.nlst('inbox').include?("#{name}-renamed.hl7"), 'nlst'
      need ftp.mlsd('inbox').any? { |entry| entry.pathname == "#{name}.hl7" && entry.size == File.size(file) }, 'mlsd'
      need ftp.mtime("inbox/#{name}.hl7").year > 2000, 'mdtm'
    else
      answers = ftp.nlst('outbox').grep(/\A#{name}.*response\z/)
      need answers.length == 2, "answers: #{answers}"
      answers.each do |answer|
        need ftp.getbinaryfile("outbox/#{answer}", nil).include?('MSA|AA|'), 'answer'
        ftp.delete("outbox/#{answer}")
      end
    end
    ftp.quit
    ftp.close
  end
end

Net::SFTP.start('127.0.0.1', account, port: ssh_port.to_i, password: password, verify_host_key: :never) do |sftp|
  if what == 'send'
    sftp.upload!(file, '/ruby-sftp.hl7')
    sftp.upload!(file, '/inbox/ruby-sftp.tmp')
    sftp.rename!('/inbox/ruby-sftp.tmp', '/inbox/ruby-sftp-renamed.hl7')
    need sftp.stat!('/inbox/ruby-sftp.hl7').size == File.size(file), 'stat'
  else
    answers = sftp.dir.glob('/outbox', 'ruby-sftp*.response').map(&:name)
    need answers.length == 2, "answers: #{answers}"
    answers.each do |answer|
      need sftp.download!("/outbox/#{answer}").include?('MSA|AA|'), 'answer'
      sftp.remove!("/outbox/#{answer}")
    end
  end
end
