using System.CommandLine;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using UniFace.IO;
using UniFace.Server;
using UniFace.Server.Recognition;
using UniFace.Server.Security;

namespace UniFace.Cli.Commands;

/// <summary>uniface serve: the service, until Ctrl-C.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        ServerOptions defaults = new();
        Option<string?> package = new("--package") { Description = "Model package; without it the installed default ('uniface models list'), else the one that 'uniface demo' made in this folder.", HelpName = "PACKAGE" };
        Option<string?> gallery = new("--gallery") { Description = "Gallery: a file, or postgres://user@host/database?gallery=people. Without it, one of the model in the data folder, made where there is none.", HelpName = "GALLERY" };
        Option<string> runs = new("--runs") { Description = "Folder of training runs.", HelpName = "RUNS", DefaultValueFactory = _ => defaults.Runs };
        Option<string> data = new("--data") { Description = "Folder of all that the service itself writes.", HelpName = "FOLDER", DefaultValueFactory = _ => defaults.DataFolder };
        Option<string[]> urls = new("--urls") { Description = $"Addresses to listen on; {ServerOptions.DefaultUrl} by default. Port 0 takes a free one.", HelpName = "URL", AllowMultipleArgumentsPerToken = true };
        Option<string?> detector = new VisionOptions().Detector;
        Option<int?> retention = new("--retention-days") { Description = "Remove people whose newest photo was enrolled longer ago; looked at every hour. Without it people are kept.", HelpName = "DAYS" };
        Option<bool> requireKey = new("--require-key") { Description = "Ask for an API key at this machine too; for a service behind a proxy on the same machine." };
        Option<int> rate = new("--rate") { Description = "Requests a second that one address beyond this machine may make; with --require-key, one key at this machine, too.", HelpName = "N", DefaultValueFactory = _ => defaults.RequestsPerSecond };
        Option<int> concurrent = new("--concurrent")
        {
            Description = "Recognition requests under way at once, of which one caller may have three quarters; more are refused with 503.",
            HelpName = "N",
            DefaultValueFactory = _ => defaults.MaxConcurrentRequests,
        };
        Option<int> auditSize = new("--audit-max-size")
        {
            Description = "Size in MB at which a file of the audit log is full; the chain goes on in the next.",
            HelpName = "MB",
            DefaultValueFactory = _ => (int)(defaults.MaxAuditBytes >> 20),
        };
        GalleryOptions key = new();
        Command command = new("serve", "Serve the REST API and the web pages, until Ctrl-C.\nExample: uniface serve\nExample: uniface serve --package package --gallery people.gallery --runs runs --urls http://127.0.0.1:8080")
        {
            package, gallery, runs, data, urls, detector, requireKey, retention, rate, concurrent, auditSize,
            ServeKeysCommand.Create(data),
            ServeAuditCommand.Create(data),
        };
        key.AddKeyTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            ServerOptions options = defaults with
            {
                Package = parsed.GetValue(package),
                Gallery = parsed.GetValue(gallery),
                GalleryKey = key.Key(parsed),
                Runs = parsed.GetRequiredValue(runs),
                DataFolder = parsed.GetRequiredValue(data),
                Detector = parsed.GetValue(detector),
                RequireKey = parsed.GetValue(requireKey),
                RetentionDays = parsed.GetValue(retention),
                MaxAuditBytes = (long)Positive(parsed, auditSize) << 20,
                RequestsPerSecond = Positive(parsed, rate),
                MaxConcurrentRequests = Positive(parsed, concurrent),
                Urls = parsed.GetValue(urls) is { Length: > 0 } given ? [.. given.SelectMany(u => u.Split(';', StringSplitOptions.RemoveEmptyEntries))] : defaults.Urls,
            };
            HostAllocator.ReturnFreed();
            await using WebApplication app = await UniFaceServer.CreateAsync(options, stop).ConfigureAwait(false);
            await StartAsync(app, options, stop).ConfigureAwait(false);
            Recognizer recognizer = UniFaceServer.RecognizerOf(app);
            _ = recognizer.HasModel ? GalleryOptions.Warned(recognizer.Gallery.Path) : null;
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new
                {
                    urls = app.Urls,
                    package = recognizer.HasModel ? recognizer.Model.Package.Source : null,
                    gallery = recognizer.HasModel ? recognizer.Gallery.Path : null,
                    runs = options.Runs,
                    data = options.DataFolder,
                });
            }
            else
            {
                Console.WriteLine("package: " + (recognizer.HasModel ? recognizer.Model.Package.Source : "none; " + Recognizer.NoModel));
                Console.WriteLine("gallery: " + (recognizer.HasModel ? recognizer.Gallery.Path : "none"));
                Console.WriteLine($"runs: {options.Runs}{(Directory.Exists(options.Runs) ? "" : " (not there yet)")}");
                if (UniFaceServer.IsOpenToOthers(app.Urls) && !new ApiKeyStore(options.DataFolder).All().Any(k => k.WhyRefused(DateTimeOffset.UtcNow) is null))
                {
                    Console.WriteLine($"no API key yet, so everybody beyond this machine is refused; make one: uniface serve keys create --name NAME --scopes read --data {options.DataFolder}");
                }

                Console.WriteLine($"serving {string.Join(' ', app.Urls)} until Ctrl-C");
            }

            await app.WaitForShutdownAsync(stop).ConfigureAwait(false);
            return ExitCode.Success;
        });
        return command;
    }

    private static async Task StartAsync(WebApplication app, ServerOptions options, CancellationToken stop)
    {
        try
        {
            await app.StartAsync(stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or UnauthorizedAccessException)
        {
            throw new UniFaceException($"--urls {string.Join(' ', options.Urls)}: cannot listen there: {e.GetBaseException().Message.TrimEnd('.')}; give another address or port, or stop what uses it.", e);
        }
    }

    private static int Positive(ParseResult parsed, Option<int> option) =>
        parsed.GetValue(option) is int n and > 0 ? n : throw new UniFaceException($"{option.Name} {parsed.GetValue(option)}: expected at least 1.");
}
