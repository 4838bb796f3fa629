using System;
using System.IO;
using System.Linq;
using System.Net;

/// What .NET brings for FTP, as a vendor's program would use it. Arguments: send or fetch, port, account, password, a file
/// with a batch's trailer and one without.
class DotnetClient
{
    static string[] arguments;

    static FtpWebRequest Ask(string method, string path, bool encrypted, bool passive)
    {
        var request = (FtpWebRequest)WebRequest.Create("ftp://127.0.0.1:" + arguments[1] + "/" + path);
        request.Method = method;
        request.Credentials = new NetworkCredential(arguments[2], arguments[3]);
        request.EnableSsl = encrypted;
        request.UsePassive = passive;
        request.Timeout = request.ReadWriteTimeout = 120000;
        return request;
    }

    static string Answer(FtpWebRequest request)
    {
        using (var response = (FtpWebResponse)request.GetResponse())
        {
            if (request.Method == WebRequestMethods.Ftp.ListDirectory || request.Method == WebRequestMethods.Ftp.DownloadFile)
                return new StreamReader(response.GetResponseStream()).ReadToEnd();
            return request.Method == WebRequestMethods.Ftp.GetFileSize
                ? response.ContentLength.ToString() : response.StatusDescription;
        }
    }

    static void Put(string file, string name, bool encrypted, bool passive)
    {
        var request = Ask(WebRequestMethods.Ftp.UploadFile, name, encrypted, passive);
        var bytes = File.ReadAllBytes(file);
        using (var stream = request.GetRequestStream()) stream.Write(bytes, 0, bytes.Length);
        Answer(request);
    }

    static string Refused(Action action)
    {
        try { action(); }
        catch (WebException refusal) { return ((FtpWebResponse)refusal.Response).StatusDescription; }
        return "not refused";
    }

    static void Need(bool isTrue, string what)
    {
        if (!isTrue) throw new Exception(what);
    }

    static void Send(bool encrypted, bool passive)
    {
        string name = "dotnet-" + encrypted + "-" + passive, batch = arguments[4], single = arguments[5];
        Put(batch, name + ".hl7", encrypted, passive);
        Put(batch, name + ".tmp", encrypted, passive);
        var rename = Ask(WebRequestMethods.Ftp.Rename, name + ".tmp", encrypted, passive);
        rename.RenameTo = name + "-renamed.hl7";
        Answer(rename);
        var names = Answer(Ask(WebRequestMethods.Ftp.ListDirectory, "inbox/", encrypted, passive));
        Need(names.Contains(name + ".hl7\r\n") && names.Contains(name + "-renamed.hl7\r\n"), "list: " + names);
        var size = Answer(Ask(WebRequestMethods.Ftp.GetFileSize, "inbox/" + name + ".hl7", encrypted, passive));
        Need(size == new FileInfo(batch).Length.ToString(), "size: " + size);
        var fetched = Refused(() => Answer(Ask(WebRequestMethods.Ftp.DownloadFile, "inbox/" + name + ".hl7", encrypted, passive)));
        Need(fetched.StartsWith("550"), "an accepted file was read back: " + fetched);
        // It ends its encrypted uploads without a close_notify.
        var unwrapped = encrypted ? Refused(() => Put(single, name + "-single.hl7", encrypted, passive)) : "426 wrap";
        Need(unwrapped.StartsWith("426") && unwrapped.Contains("wrap"), "without a trailer: " + unwrapped);
    }

    static void Fetch(bool encrypted, bool passive)
    {
        var names = Answer(Ask(WebRequestMethods.Ftp.ListDirectory, "outbox/", encrypted, passive));
        var begin = "dotnet-" + encrypted + "-" + passive;
        var ours = names.Split('\n').Select(line => line.Trim())
            .Where(line => line.StartsWith(begin) && line.EndsWith(".response")).ToArray();
        Need(ours.Length == 2, "answers: " + names);
        foreach (var name in ours)
        {
            var answer = Answer(Ask(WebRequestMethods.Ftp.DownloadFile, "outbox/" + name, encrypted, passive));
            Need(answer.Contains("MSA|AA|"), "answer: " + answer);
            Answer(Ask(WebRequestMethods.Ftp.DeleteFile, "outbox/" + name, encrypted, passive));
        }
    }

    static void Main(string[] given)
    {
        arguments = given;
        ServicePointManager.ServerCertificateValidationCallback = (sender, certificate, chain, errors) => true;
        foreach (var encrypted in new[] { false, true })
            foreach (var passive in new[] { true, false })
                if (arguments[0] == "send") Send(encrypted, passive); else Fetch(encrypted, passive);
    }
}
