using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using UniFace.AspNetCore.Scheduling;
using UniFace.TestSupport;

namespace UniFace.AspNetCore.Tests.Hosting;

/// <summary>The recognition API works in an application of a user: under its prefix and its authentication, and without changing its own endpoints.</summary>
public sealed class MountedApiTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-mounted-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Faces_are_enrolled_verified_and_identified_under_the_prefix_of_the_application()
    {
        await using WebApplication app = await StartAsync(app => app.MapUniFace("/api/faces"));
        using HttpClient client = Client(app);
        byte[] ann = RunningServer.Face(1), bob = RunningServer.Face(2);
        HttpResponseMessage enrolled = await client.PostAsJsonAsync("/api/faces/people", new { person = "Ann Lee", photos = new[] { ann }, aligned = true });
        Assert.Equal(HttpStatusCode.Created, enrolled.StatusCode);
        Assert.Equal("/api/faces/people/Ann%20Lee", enrolled.Headers.Location!.ToString());
        JsonElement same = await PostAsync(client, "/api/faces/verify", new { a = ann, b = ann, aligned = true, falseMatchRate = 0.01 });
        Assert.True(same.GetProperty("same").GetBoolean());
        JsonElement who = await PostAsync(client, "/api/faces/identify", new { photo = ann, aligned = true, threshold = 0.9 });
        Assert.Equal("Ann Lee", who.GetProperty("person").GetString());
        JsonElement nobody = await PostAsync(client, "/api/faces/identify", new { photo = bob, aligned = true, threshold = 0.99999 });
        Assert.Null(nobody.GetProperty("person").GetString());
        Assert.Contains("Ann Lee", await client.GetStringAsync("/api/faces/people"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync("/api/faces/people/Ann%20Lee")).StatusCode);
    }

    [Fact]
    public async Task Errors_of_the_api_are_problem_details_and_those_of_the_application_stay_its_own()
    {
        await using WebApplication app = await StartAsync(app =>
        {
            app.MapUniFace();
            app.MapGet("/mine", () => Results.Json(new { Day = DayOfWeek.Monday }));
            app.MapGet("/broken", string () => throw new UniFaceException("secret of the application"));
        });
        using HttpClient client = Client(app);
        HttpResponseMessage text = await client.PostAsJsonAsync("/v1/verify", new { a = new byte[] { 1 }, b = new byte[] { 1 }, aligned = true });
        Assert.Equal(HttpStatusCode.BadRequest, text.StatusCode);
        Assert.Equal("application/problem+json", text.Content.Headers.ContentType!.MediaType);
        HttpResponseMessage unknown = await client.PostAsJsonAsync("/v1/verify", new { wrong = 1 });
        Assert.Contains("wrong", await unknown.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("""{"day":1}""", await client.GetStringAsync("/mine"));
        HttpResponseMessage broken = await client.GetAsync("/broken");
        Assert.Equal(HttpStatusCode.InternalServerError, broken.StatusCode);
        Assert.DoesNotContain("secret", await broken.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_authorization_of_the_application_applies_and_the_audit_log_names_its_user()
    {
        await using WebApplication app = await StartAsync(
            app =>
            {
                app.UseAuthentication();
                app.UseAuthorization();
                app.MapUniFace().RequireAuthorization();
            },
            services =>
            {
                services.AddAuthentication("test").AddScheme<AuthenticationSchemeOptions, HeaderAuthentication>("test", null);
                services.AddAuthorization();
            });
        using HttpClient client = Client(app);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/v1/people")).StatusCode);
        client.DefaultRequestHeaders.Add("X-User", "carol");
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v1/people")).StatusCode);
        _ = await PostAsync(client, "/v1/verify", new { a = RunningServer.Face(1), b = RunningServer.Face(1), aligned = true, threshold = 0.5 });
        await app.StopAsync(TestContext.Current.CancellationToken);
        await app.DisposeAsync(); // writes what the audit log still holds
        string audit = string.Concat(Directory.EnumerateFiles(Path.Combine(folder, "data"), "*", SearchOption.AllDirectories).Select(ReadShared));
        Assert.Contains("user:carol", audit, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_authorization_only_this_machine_is_admitted_unless_the_application_admits_everybody()
    {
        await using WebApplication closed = await StartAsync(app => app.MapUniFace()), open = await StartAsync(app => app.MapUniFace().AllowAnonymous());
        using HttpClient refused = Client(closed), admitted = Client(open);
        foreach (HttpClient client in new[] { refused, admitted })
        {
            client.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.7"); // through a proxy
        }

        Assert.Equal(HttpStatusCode.Forbidden, (await refused.GetAsync("/v1/people")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await admitted.GetAsync("/v1/people")).StatusCode);
    }

    [Fact]
    public async Task A_signed_in_user_is_not_admitted_from_elsewhere_unless_the_application_has_a_policy_for_the_api()
    {
        HttpStatusCode[] answers = [HttpStatusCode.Forbidden, HttpStatusCode.OK];
        foreach ((bool fallback, HttpStatusCode expected) in new[] { false, true }.Zip(answers))
        {
            await using WebApplication app = await StartAsync(
                app =>
                {
                    app.UseAuthentication();
                    app.UseAuthorization();
                    app.MapUniFace();
                },
                services =>
                {
                    services.AddAuthentication("test").AddScheme<AuthenticationSchemeOptions, HeaderAuthentication>("test", null);
                    services.AddAuthorization(options => options.FallbackPolicy = fallback ? options.DefaultPolicy : null);
                });
            using HttpClient client = Client(app);
            client.DefaultRequestHeaders.Add("X-User", "carol");
            client.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.7"); // through a proxy
            Assert.Equal(expected, (await client.GetAsync("/v1/people")).StatusCode);
        }
    }

    [Fact]
    public async Task A_key_in_the_configuration_encrypts_the_gallery()
    {
        string gallery = Path.Combine(folder, "secret.gallery");
        Dictionary<string, string?> configuration = new()
        {
            ["UniFace:Gallery"] = gallery,
            ["UniFace:GalleryKey"] = new string('7', 64),
        };
        await using WebApplication app = await StartAsync(app => app.MapUniFace(), configuration: configuration);
        using HttpClient client = Client(app);
        await client.PostAsJsonAsync("/v1/people", new { person = "Ann Secret", photos = new[] { RunningServer.Face(1) }, aligned = true });
        Assert.Contains("Ann Secret", await client.GetStringAsync("/v1/people"), StringComparison.Ordinal);
        Assert.DoesNotContain("Ann Secret", string.Concat(Directory.EnumerateFiles(folder, "secret.gallery*").Select(ReadShared)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_gallery_of_the_options_is_created_once()
    {
        string gallery = Path.Combine(folder, "mine.gallery");
        foreach (string person in new[] { "Ann", "Bob" })
        {
            await using WebApplication app = await StartAsync(app => app.MapUniFace(), configuration: new() { ["UniFace:Gallery"] = gallery });
            using HttpClient client = Client(app);
            await client.PostAsJsonAsync("/v1/people", new { person, photos = new[] { RunningServer.Face(person[0]) }, aligned = true });
            Assert.Contains("Ann", await client.GetStringAsync("/v1/people"), StringComparison.Ordinal);
        }

        Assert.True(File.Exists(gallery));
    }

    [Fact]
    public async Task Options_come_from_the_configuration_and_a_wrong_one_stops_the_start()
    {
        UniFaceException missing = await Assert.ThrowsAsync<UniFaceException>(() => StartAsync(
            app => app.MapUniFace(), configuration: new() { ["UniFace:Package"] = Path.Combine(folder, "none") }, configure: false));
        Assert.Contains("none", missing.Message, StringComparison.Ordinal);
        OptionsValidationException wrong = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(
            app => app.MapUniFace(), configuration: new() { ["UniFace:RetentionDays"] = "0" }));
        Assert.Contains("RetentionDays", wrong.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => WebApplication.CreateSlimBuilder().Build().MapUniFace());
    }

    [Fact]
    public async Task A_misspelt_option_in_the_configuration_stops_the_start_and_is_named()
    {
        UniFaceException refused = await Assert.ThrowsAsync<UniFaceException>(() => StartAsync(
            app => app.MapUniFace(), configuration: new() { ["UniFace:MaxRequestByte"] = "1000" }));
        Assert.Contains("UniFace:MaxRequestByte, which is no option; expected one of DataFolder, Detector", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_answer_of_the_api_is_cached_and_a_parameter_that_cannot_be_read_is_named()
    {
        await using WebApplication app = await StartAsync(app =>
        {
            app.MapUniFace();
            app.MapGet("/mine", (int number) => number);
        });
        using HttpClient client = Client(app);
        HttpResponseMessage people = await client.GetAsync("/v1/people"), wrong = await client.GetAsync("/v1/people?limit=many");
        Assert.Equal("no-store", people.Headers.CacheControl!.ToString());
        Assert.Equal((HttpStatusCode.BadRequest, "no-store"), (wrong.StatusCode, wrong.Headers.CacheControl!.ToString()));
        Assert.Equal("application/problem+json", wrong.Content.Headers.ContentType!.MediaType);
        Assert.Contains("limit", await wrong.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        HttpResponseMessage mine = await client.GetAsync("/mine?number=many");
        Assert.Equal((HttpStatusCode.BadRequest, ""), (mine.StatusCode, await mine.Content.ReadAsStringAsync()));
        Assert.Null(mine.Headers.CacheControl);
    }

    [Fact]
    public async Task The_api_can_be_mapped_twice_and_its_limit_holds_for_both()
    {
        await using WebApplication app = await StartAsync(app =>
        {
            app.MapUniFace("/a");
            app.MapUniFace("/b");
        });
        using HttpClient client = Client(app);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/a/people")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/b/people")).StatusCode);
        FairLimiter places = app.Services.GetRequiredService<FairLimiter>();
        List<IDisposable> taken = [];
        for (int caller = 0; places.TryEnter($"{caller}") is IDisposable place; caller++)
        {
            taken.Add(place);
        }

        foreach (string path in new[] { "/a/people", "/b/people" })
        {
            HttpResponseMessage refused = await client.GetAsync(path);
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (refused.StatusCode, refused.Headers.RetryAfter!.ToString()));
            Assert.Contains("too many requests at once; try again in 1 s", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        taken.ForEach(place => place.Dispose());
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/b/people")).StatusCode);
    }

    [Fact]
    public async Task The_model_is_opened_by_the_start_and_not_by_the_services_that_are_created_before()
    {
        await using WebApplication app = WebApplicationWith(Path.Combine(folder, "none"));
        Assert.NotEmpty(app.Services.GetServices<Microsoft.Extensions.Hosting.IHostedService>());
        await Assert.ThrowsAsync<UniFaceException>(() => app.StartAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_data_folder_that_cannot_be_created_stops_the_start_in_one_sentence()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "data"), "a file", TestContext.Current.CancellationToken);
        UniFaceException refused = await Assert.ThrowsAsync<UniFaceException>(() => StartAsync(app => app.MapUniFace()));
        Assert.StartsWith($"the data folder {Path.Combine(folder, "data")} cannot be created", refused.Message, StringComparison.Ordinal);
    }

    private WebApplication WebApplicationWith(string package)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddUniFace(options => (options.DataFolder, options.Package) = (Path.Combine(folder, "data"), package));
        return builder.Build();
    }

    private async Task<WebApplication> StartAsync(
        Action<WebApplication> map,
        Action<IServiceCollection>? add = null,
        Dictionary<string, string?>? configuration = null,
        bool configure = true)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(configuration ?? []);
        string package = TestPackage.Write(Path.Combine(folder, "package"));
        builder.Services.AddUniFace(options =>
        {
            options.DataFolder = Path.Combine(folder, "data");
            options.Package = configure ? package : options.Package;
        });
        add?.Invoke(builder.Services);
        WebApplication app = builder.Build();
        map(app);
        try
        {
            await app.StartAsync();
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    private static HttpClient Client(WebApplication app) => new() { BaseAddress = new Uri(app.Urls.First()), Timeout = TimeSpan.FromMinutes(10) };

    private static async Task<JsonElement> PostAsync(HttpClient client, string path, object body)
    {
        HttpResponseMessage response = await client.PostAsJsonAsync(path, body);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}: {text}");
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    private static string ReadShared(string path)
    {
        using StreamReader reader = new(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        return reader.ReadToEnd();
    }

    private sealed class HeaderAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory log, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, log, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Request.Headers["X-User"].ToString() is { Length: > 0 } name
            ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], "test")), "test"))
            : AuthenticateResult.NoResult());
    }
}
