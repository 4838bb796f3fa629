import com.jcraft.jsch.Channel;
import com.jcraft.jsch.ChannelSftp;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.Session;
import com.jcraft.jsch.SftpException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.commons.net.ftp.FTP;
import org.apache.commons.net.ftp.FTPClient;
import org.apache.commons.net.ftp.FTPFile;
import org.apache.commons.net.ftp.FTPSClient;
import org.apache.commons.net.util.TrustManagerUtils;

/** The libraries that Java's integration engines use. Arguments: FTP port, SFTP port, account, password. */
class JavaClient {
    private static final int PATIENCE_MS = 120_000;
    private static final byte[] MESSAGE = ("MSH|^~\\&|EHR|ACME|IIS|STATE|20240308120000-0600||VXU^V04^VXU_V04|J1|P|2.5.1\r"
            + "PID|1||12345^^^ACME^MR||TEST^CHILD||20200101|F\r").getBytes(StandardCharsets.UTF_8);

    public static void main(String[] args) throws Exception {
        int ftpPort = Integer.parseInt(args[0]);
        for (boolean passive : new boolean[] {true, false}) {
            ftp(new FTPClient(), "java-ftp-" + passive, ftpPort, args[2], args[3], passive);
            FTPSClient encrypted = new FTPSClient(false);
            encrypted.setTrustManager(TrustManagerUtils.getAcceptAllTrustManager());
            ftp(encrypted, "java-ftps-" + passive, ftpPort, args[2], args[3], passive);
        }
        sftp(Integer.parseInt(args[1]), args[2], args[3]);
    }

    private static void need(boolean isTrue, String what) {
        if (!isTrue) {
            throw new AssertionError(what);
        }
    }

    private static void ftp(FTPClient client, String name, int port, String account, String password, boolean passive)
            throws Exception {
        client.setConnectTimeout(PATIENCE_MS);
        client.setDefaultTimeout(PATIENCE_MS);
        client.setControlEncoding("UTF-8");
        client.connect("127.0.0.1", port);
        need(client.login(account, password), "login: " + client.getReplyString());
        if (client instanceof FTPSClient) {
            ((FTPSClient) client).execPBSZ(0);
            ((FTPSClient) client).execPROT("P");
        }
        client.setFileType(FTP.BINARY_FILE_TYPE);
        if (passive) {
            client.enterLocalPassiveMode();
        } else {
            client.enterLocalActiveMode();
        }
        need(client.storeFile(name + ".hl7", new ByteArrayInputStream(MESSAGE)), "put: " + client.getReplyString());
        need(client.storeFile(name + "-ü.tmp", new ByteArrayInputStream(MESSAGE)), "put: " + client.getReplyString());
        need(client.rename(name + "-ü.tmp", name + "-ü.hl7"), "rename: " + client.getReplyString());
        need(client.sendSiteCommand("CHMOD 644 " + name + ".hl7"), "chmod: " + client.getReplyString());
        // It asks for the system and reads `ls -l` by it.
        FTPFile[] listed = client.listFiles("inbox");
        need(Arrays.stream(listed).anyMatch(file -> file.getName().equals(name + "-ü.hl7") && file.getSize() == MESSAGE.length),
                "list: " + Arrays.toString(listed));
        need(client.mlistFile("inbox/" + name + ".hl7").getSize() == MESSAGE.length, "mlst: " + client.getReplyString());
        need(!client.retrieveFile("inbox/" + name + ".hl7", new ByteArrayOutputStream()), "an accepted file was read back");
        need(client.logout(), "quit: " + client.getReplyString());
        client.disconnect();
    }

    private static void sftp(int port, String account, String password) throws Exception {
        Session session = new JSch().getSession(account, "127.0.0.1", port);
        session.setPassword(password);
        session.setConfig("StrictHostKeyChecking", "no");
        session.connect(PATIENCE_MS);
        Channel channel = session.openChannel("sftp");
        channel.connect(PATIENCE_MS);
        ChannelSftp client = (ChannelSftp) channel;
        client.put(new ByteArrayInputStream(MESSAGE), "java-sftp.hl7");
        client.put(new ByteArrayInputStream(MESSAGE), "java-sftp-2.hl7.tmp");
        client.rename("java-sftp-2.hl7.tmp", "java-sftp-2.hl7");
        client.setMtime("inbox/java-sftp.hl7", 1);
        need(client.stat("inbox/java-sftp.hl7").getSize() == MESSAGE.length, "stat");
        need(client.ls("inbox").size() >= 2, "ls");
        try {
            client.get("inbox/java-sftp.hl7", new ByteArrayOutputStream());
            throw new AssertionError("an accepted file was read back");
        } catch (SftpException expected) {
            need(expected.id == ChannelSftp.SSH_FX_PERMISSION_DENIED, "get: " + expected);
        }
        session.disconnect();
    }
}
