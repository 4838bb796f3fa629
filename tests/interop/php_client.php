<?php
// PHP's ftp functions as a vendor's script would use them. Arguments: send or fetch, port, account, password, file.
[, $what, $port, $account, $password, $file] = $argv;

function need($answer, string $what)
{
    if ($answer === false) {
        fwrite(STDERR, "$what\n");
        exit(1);
    }
    return $answer;
}

foreach (['ftp_connect', 'ftp_ssl_connect'] as $connect) {
    foreach ([true, false] as $passive) {
        $ftp = need($connect('127.0.0.1', (int) $port, 120), 'connect');
        need(ftp_login($ftp, $account, $password), 'login');
        need(ftp_pasv($ftp, $passive), 'pasv');
        $name = "php-$connect-" . (int) $passive;
        if ($what === 'send') {
            need(ftp_put($ftp, "$name.hl7", $file, FTP_BINARY), 'put');
            need(ftp_put($ftp, "$name.tmp", $file, FTP_ASCII), 'put of a temporary name');
            need(ftp_rename($ftp, "$name.tmp", "$name-renamed.hl7"), 'rename');
            need(ftp_chmod($ftp, 0644, "$name.hl7"), 'chmod');
            need(in_array("$name-renamed.hl7", need(ftp_nlist($ftp, 'inbox'), 'nlst'), true), 'nlst does not show it');
            need(count(need(ftp_mlsd($ftp, 'inbox'), 'mlsd')) === count(ftp_rawlist($ftp, 'inbox')), 'mlsd and list differ');
            need(ftp_size($ftp, "inbox/$name.hl7") === filesize($file), 'size');
            need(ftp_mdtm($ftp, "inbox/$name.hl7") > 0, 'mdtm');
        } else {
            $answers = preg_grep("/^$name.*response$/", need(ftp_nlist($ftp, 'outbox'), 'nlst'));
            need(count($answers) === 2, 'answers');
            foreach ($answers as $answer) {
                need(ftp_get($ftp, 'php-answer', "outbox/$answer", FTP_BINARY), 'get');
                need(str_contains(file_get_contents('php-answer'), 'MSA|AA|'), 'answer');
                need(ftp_delete($ftp, "outbox/$answer"), 'delete');
            }
        }
        ftp_close($ftp);
    }
}
