using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using UniFace.AspNetCore;
using UniFace.AspNetCore.Hosting;
using UniFace.AspNetCore.Recognition;
using UniFace.AspNetCore.Security;

namespace UniFace.CommandLine.Serve;

/// <summary>`uniface serve`: runs the service until Ctrl-C.</summary>
internal static class ServeCommand
{
    private const string Description = """
        Serve the REST API and the web pages until Ctrl-C.
        Example: uniface serve
        Example: uniface serve --package package --gallery people.gallery --urls http://127.0.0.1:8080
        """;

    /// <summary>Declares the command.</summary>
    /// <param name="addStudio">Adds UniFace Studio, given the folder of training runs; null to serve recognition only.</param>
    public static Command Create(Action<IServiceCollection, string>? addStudio = null)
    {
        ServerOptions defaults = new();
        CliOption<string?> package = new(
            "--package",
            "Model package. Default: the package of 'uniface demo' in this folder, until the service has a gallery; else the installed default model.",
            "PACKAGE");
        CliOption<string?> gallery = new(
            "--gallery",
            "Gallery: a file, shards:N:FILE for N processes, or postgres://user@host/database?gallery=people. Default: the model's gallery in the " +
            "data folder, created if missing; for the package of 'uniface demo', the demo's gallery.",
            "GALLERY");
        CliOption<string> runs = new("--runs", "Folder of training runs and evaluations. If it is missing, the pages show those of the demo.", "RUNS")
        {
            Default = "runs",
        };
        CliOption<string> data = new("--data", "Folder for everything the service writes.", "FOLDER") { Default = defaults.DataFolder };
        CliOption<string[]> urls = new("--urls", $"Addresses to listen on. Default: {ServerOptions.DefaultUrl}. Port 0 picks a free port.", "URL")
        {
            AllowMultipleArgumentsPerToken = true,
        };
        VisionOptions vision = new();
        CliOption<int?> retention = new(
            "--retention-days", "Remove people whose newest photo was enrolled longer ago, checked every hour. Default: people are kept.", "DAYS");
        CliOption<bool> requireKey = new(
            "--require-key", "Require an API key from this machine too; for a service behind a proxy on the same machine.");
        CliOption<int> rate = new(
            "--rate", "Requests per second for each remote address; with --require-key, also for each key used on this machine.")
        {
            Default = defaults.RequestsPerSecond,
            Min = 1,
        };
        CliOption<int> concurrent = new(
            "--concurrent", "Concurrent recognition requests, of which one caller may use three quarters. More are refused with 503.")
        {
            Default = defaults.MaxConcurrentRequests,
            Min = 1,
        };
        CliOption<int> auditSize = new("--audit-max-size", "Size at which an audit log file is full; the chain of hashes continues in the next file.", "MB")
        {
            Default = (int)(defaults.MaxAuditBytes >> 20),
            Min = 1,
        };
        GalleryOptions key = new();
        IEnumerable<Symbol> parameters =
        [
            package, gallery, .. addStudio is null ? Array.Empty<Symbol>() : [runs], data, urls, vision.Detector, vision.Liveness, requireKey, retention,
            rate, concurrent, auditSize, .. key.Keys, CommonOptions.Config,
            ServeKeysCommand.Create(data), ServeAuditCommand.Create(data),
        ];
        return CliCommand.Create("serve", Description, parameters, async (parsed, stop) =>
        {
            string? model = parsed.GetValue(package) ?? ChoosePackage(parsed.GetValue(gallery), parsed.GetRequiredValue(data));
            ServedDemo? demo = ServedDemo.Find(model);
            ServerOptions options = defaults with
            {
                Package = model,
                Gallery = parsed.GetValue(gallery) ?? (key.IsGiven(parsed) ? null : demo?.FindGallery(parsed.GetRequiredValue(data))),
                GalleryKey = key.Key(parsed),
                DataFolder = parsed.GetRequiredValue(data),
                Detector = parsed.GetValue(vision.Detector),
                Liveness = vision.Photos(parsed).Liveness,
                RequireKey = parsed.GetValue(requireKey),
                RetentionDays = parsed.GetValue(retention),
                MaxAuditBytes = (long)parsed.GetValue(auditSize) << 20,
                RequestsPerSecond = parsed.GetValue(rate),
                MaxConcurrentRequests = parsed.GetValue(concurrent),
                Urls = parsed.GetValue(urls) is { Length: > 0 } given
                    ? [.. given.SelectMany(u => u.Split(';', StringSplitOptions.RemoveEmptyEntries))]
                    : defaults.Urls,
            };
            string? runFolder = addStudio is null ? null
                : demo is not null && !parsed.IsGiven(runs) && !Directory.Exists(parsed.GetRequiredValue(runs)) ? demo.Folder
                : parsed.GetRequiredValue(runs);
            HostAllocator.ReleaseFreedMemory();
            await using WebApplication app = await UniFaceServer.CreateAsync(options, AddServices, stop);
            await StartAsync(app, options, stop);
            Recognizer? recognizer = UniFaceServer.FindRecognizer(app);
            string? source = recognizer?.Model.Package.Source;
            string? opened = recognizer?.Gallery.Path;
            if (opened is not null)
            {
                GalleryOptions.WarnIfExposed(opened);
            }

            parsed.Print(new { app.Urls, package = source, gallery = opened, runs = runFolder, data = options.DataFolder }, () =>
            {
                Console.WriteLine("package: " + (source ?? "none; " + RecognizerSlot.NoModel));
                Console.WriteLine("gallery: " + (opened ?? "none"));
                if (runFolder is not null)
                {
                    Console.WriteLine($"runs: {runFolder}{(Directory.Exists(runFolder) ? "" : " (does not exist yet)")}");
                }

                if (UniFaceServer.IsOpenToOthers(app.Urls) && !new ApiKeyStore(options.DataFolder).All().Any(k => k.WhyRefused(DateTimeOffset.UtcNow) is null))
                {
                    Console.WriteLine(
                        "there is no API key, so requests from other machines are refused; create one: uniface serve keys create --name NAME --scopes read " +
                        $"--data {options.DataFolder}");
                }

                if (demo is null && !parsed.IsGiven(package) && ServedDemo.FindPackage() is string unused)
                {
                    Console.WriteLine($"the demo in this folder is not served, because the service has a gallery; serve it with --package {unused}");
                }

                Console.WriteLine($"serving {string.Join(' ', app.Urls)} until Ctrl-C");
            });
            await app.WaitForShutdownAsync(stop);

            void AddServices(IServiceCollection services)
            {
                services.AddHostedService<MemoryTrimmer>();
                addStudio?.Invoke(services, runFolder!);
            }
        });
    }

    /// <summary>Prefers the demo in this folder to the installed model, until the service has a gallery.</summary>
    private static string? ChoosePackage(string? gallery, string data)
    {
        string? installed = InstalledModels.GetDefault(), demo = ServedDemo.FindPackage();
        bool hasGallery = gallery is not null || ServedGallery.FindOwn(data).Any();
        return hasGallery ? installed ?? demo : demo ?? installed;
    }

    private static async Task StartAsync(WebApplication app, ServerOptions options, CancellationToken stop)
    {
        try
        {
            await app.StartAsync(stop);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or UnauthorizedAccessException)
        {
            throw new UniFaceException(
                $"--urls {string.Join(' ', options.Urls)}: cannot listen: {e.GetBaseException().Message.TrimEnd('.')}; give another address or port, or " +
                "stop the program that uses it.",
                e);
        }
    }
}
