using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using NJsonSchema.CodeGeneration.CSharp;
using NSwag;
using NSwag.CodeGeneration.CSharp;
using UniFace.Client;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Imaging;

namespace UniFace.Studio.Tests;

/// <summary>The C# client matches the API's description. UNIFACE_UPDATE=1 regenerates it.</summary>
public sealed class ClientTests
{
    [Fact]
    public async Task The_client_is_generated_from_the_description()
    {
        await using RunningServer server = await StudioServer.StartAsync();
        string generated = await GenerateAsync(await server.Client.GetStringAsync("/openapi/v1.json"));
        string kept = Path.Combine(Checkout.Root, "src", "UniFace.Client", "Generated", "UniFaceClient.g.cs");
        if (Environment.GetEnvironmentVariable("UNIFACE_UPDATE") == "1")
        {
            File.WriteAllText(kept, generated);
        }

        Assert.True(File.ReadAllText(kept) == generated, "UniFace.Client is not generated from this API; run this test with UNIFACE_UPDATE=1");
    }

    [Fact]
    public async Task It_enrolls_identifies_and_reports_errors()
    {
        await using RunningServer server = await StudioServer.StartAsync();
        UniFaceClient client = UniFaceClient.Connect(server.Client.BaseAddress!);
        EnrollAnswer enrolled = await client.EnrollAsync(
            new EnrollRequest { Person = "Ann", Photos = [RunningServer.Face(1)], Aligned = true, AnyQuality = true });
        Assert.Equal(1, enrolled.Enrolled);
        IdentifyAnswer who = await client.IdentifyAsync(new IdentifyRequest { Photo = RunningServer.Face(1), Aligned = true });
        Assert.Equal(("Ann", IdentifyDecision.Match), (who.Person, who.Decision));
        Assert.Equal("Ann", Assert.Single((await client.ListPeopleAsync(0, 10)).People).Person);
        using (FileResponse crop = await client.AlignAsync(new PhotoRequest { Photo = RunningServer.Face(1), Aligned = true }))
        {
            using MemoryStream png = new();
            await crop.Stream.CopyToAsync(png);
            Assert.Equal(112, new SkiaImageDecoder().Decode(png.ToArray(), "crop").Width);
        }

        ApiException<Problem> refused = await Assert.ThrowsAsync<ApiException<Problem>>(
            () => client.EnrollAsync(new EnrollRequest { Person = "Bob", Photos = [ImageEncoder.Png(new RgbImage(112, 112))], Aligned = true }));
        Assert.Equal(422, refused.StatusCode);
        Assert.Contains("too dark", string.Join(' ', refused.Result.Faults!), StringComparison.Ordinal);
        await client.DeletePersonAsync("Ann");
        Assert.Equal(404, (await Assert.ThrowsAsync<ApiException<Problem>>(() => client.GetPersonAsync("Ann"))).StatusCode);
    }

    [Fact]
    public async Task A_replica_that_fails_during_its_response_is_skipped()
    {
        await using RunningServer server = await StudioServer.StartAsync();
        using TcpListener killed = new(IPAddress.Loopback, 0);
        killed.Start();
        Task half = Task.Run(async () =>
        {
            using TcpClient caller = await killed.AcceptTcpClientAsync();
            using NetworkStream stream = caller.GetStream();
            _ = await stream.ReadAsync(new byte[4096]);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"peo\r\n"u8.ToArray());
        });
        UniFaceClient client = UniFaceClient.Connect([new Uri($"http://{killed.LocalEndpoint}"), server.Client.BaseAddress!]);
        Assert.Equal(0, (await client.GalleryAsync()).People);
        await half; // It was asked.
    }

    [Fact]
    public async Task A_replica_that_does_not_answer_is_skipped()
    {
        await using RunningServer server = await StudioServer.StartAsync();
        using Socket silent = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // does not listen, and keeps the port from other tests' services
        UniFaceClient client = UniFaceClient.Connect([new Uri($"http://{silent.LocalEndPoint}"), server.Client.BaseAddress!]);
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(0, (await client.GalleryAsync()).People);
        }
    }

    [Fact]
    public async Task A_replica_whose_machine_is_down_is_skipped()
    {
        using Machines machines = new();
        using ReplicaHandler replicas = new([new Uri("http://down"), new Uri("http://up")], TimeSpan.FromMinutes(2)) { InnerHandler = machines };
        using HttpClient http = new(replicas) { BaseAddress = new Uri("http://down") };
        Assert.Equal("up", await http.GetStringAsync("/"));
    }

    [Fact]
    public async Task The_sample_program_enrolls_and_reports_a_photo_without_a_face()
    {
        await using RunningServer server = await StudioServer.StartAsync();
        await server.EnrollAsync("Ann", 1);
        string wall = Path.Combine(server.Folder, "wall.png");
        File.WriteAllBytes(wall, ImageEncoder.Png(new RgbImage(200, 160)));
        (int code, string output, string error) = await SampleAsync(server.Client.BaseAddress!.ToString(), "identify", wall);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("wall.png: unknown", output, StringComparison.Ordinal);
        (code, _, error) = await SampleAsync(server.Client.BaseAddress!.ToString(), "enrol", "Bob", wall);
        Assert.Equal(1, code);
        Assert.Contains("no face was found", error, StringComparison.Ordinal);
        Assert.Equal(2, (await SampleAsync("nonsense")).Code);
    }

    private static async Task<(int Code, string Out, string Error)> SampleAsync(params string[] args)
    {
        ProcessStartInfo start = new("dotnet", [Path.Combine(AppContext.BaseDirectory, "UniFace.Client.Sample.dll"), .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, error);
    }

    private static async Task<string> GenerateAsync(string description)
    {
        // Photos go as base64 in JSON: one method per operation. Event streams are for browsers.
        JsonNode document = JsonNode.Parse(description)!;
        JsonObject paths = document["paths"]!.AsObject();
        foreach (string stream in paths.Select(p => p.Key).ToArray()
            .Where(p => paths[p]!.ToJsonString().Contains("text/event-stream", StringComparison.Ordinal)))
        {
            paths.Remove(stream);
        }

        foreach ((_, JsonNode? path) in paths)
        {
            foreach ((_, JsonNode? operation) in path!.AsObject())
            {
                operation!["requestBody"]?["content"]!.AsObject().Remove("multipart/form-data");
            }
        }

        CSharpClientGeneratorSettings settings = new()
        {
            ClassName = "UniFaceClient",
            UseBaseUrl = false,
            GenerateOptionalParameters = true,
            GenerateClientInterfaces = false,
            CSharpGeneratorSettings =
            {
                Namespace = "UniFace.Client",
                JsonLibrary = CSharpJsonLibrary.SystemTextJson,
                GenerateNullableReferenceTypes = true,
                GenerateOptionalPropertiesAsNullable = true,
                ArrayType = "System.Collections.Generic.IReadOnlyList",
                ArrayInstanceType = "System.Collections.Generic.List",
                ArrayBaseType = "System.Collections.Generic.List",
            },
        };
        string code = new CSharpClientGenerator(await OpenApiDocument.FromJsonAsync(document.ToJsonString()), settings).GenerateFile();

        // System.Text.Json has its own attribute for names of enum members.
        return code.Replace(
            "System.Runtime.Serialization.EnumMember(Value = @\"",
            "System.Text.Json.Serialization.JsonStringEnumMemberName(@\"",
            StringComparison.Ordinal).ReplaceLineEndings("\n").TrimEnd() + "\n";
    }

    private sealed class Machines : HttpMessageHandler
    {
        // SocketsHttpHandler reports a connect timeout as a cancellation.
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            request.RequestUri!.Host == "down"
                ? Task.FromException<HttpResponseMessage>(new TaskCanceledException("timeout", new TimeoutException()))
                : Task.FromResult(new HttpResponseMessage { Content = new StringContent(request.RequestUri.Host) });
    }
}
