using System.Diagnostics;
using System.Text.RegularExpressions;
using UniFace.Packages;
using UniFace.TestSupport;

namespace UniFace.Cli.Tests;

/// <summary>Every command of README.md and docs/guide.md works, in order, in an empty folder, and every snippet compiles.</summary>
public sealed partial class ReadmeTests : IDisposable
{
    private const string Data = "--people 40 --images 10 --photos --seed 7";

    private readonly string folder = Directory.CreateTempSubdirectory("uniface-readme-").FullName;
    private CliService? service;

    private Dictionary<string, string> Environment => new() { ["UNIFACE_HOME"] = Path.Combine(folder, "home") };

    public void Dispose()
    {
        service?.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Every_command_of_readme_and_guide_runs()
    {
        await RunAllAsync(Read("README.md"), "--people 24 --images 6 --photos --seed 7");
        await RunAllAsync(Read("docs/guide.md"));
    }

    [Fact]
    public async Task Every_command_of_the_readme_runs_with_few_people() => await RunAllAsync(Read("README.md"), "--people 8 --images 6 --photos --seed 7");

    [Fact]
    public void Every_snippet_compiles()
    {
        Match[] snippets = [.. ((string[])["README.md", "docs/guide.md"]).SelectMany(page => Snippet().Matches(Read(page)))];
        Assert.True(snippets.Length >= 2, "README.md lost its snippets");
        string references = string.Concat(Directory.EnumerateFiles(AppContext.BaseDirectory, "UniFace*.dll")
            .Where(file => !Path.GetFileName(file).Contains("Tests", StringComparison.Ordinal))
            .Select(file => $"""<Reference Include="{file}" />"""));
        foreach ((int i, Match snippet) in snippets.Index())
        {
            string project = Directory.CreateDirectory(Path.Combine(folder, $"snippet{i}")).FullName;
            File.WriteAllText(Path.Combine(project, "Program.cs"), snippet.Groups[1].Value);
            File.WriteAllText(
                Path.Combine(project, "Snippet.csproj"),
                $"""
                <Project Sdk="Microsoft.NET.Sdk">
                  <PropertyGroup>
                    <OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework>
                    <ImplicitUsings>enable</ImplicitUsings><Nullable>enable</Nullable>
                  </PropertyGroup>
                  <ItemGroup>{references}<FrameworkReference Include="Microsoft.AspNetCore.App" /></ItemGroup>
                </Project>
                """);
            ProcessStartInfo build = new("dotnet") { WorkingDirectory = project, RedirectStandardOutput = true };
            build.Environment["MSBUILDDISABLENODEREUSE"] = "1";
            foreach (string argument in (string[])["build", "-nologo", "-v", "q", "-p:UseSharedCompilation=false"])
            {
                build.ArgumentList.Add(argument);
            }

            using Process process = Process.Start(build)!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, snippet.Groups[1].Value + output);
            string[] lines = snippet.Groups[1].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.InRange(lines.Count(line => !line.StartsWith("using UniFace", StringComparison.Ordinal)), 1, 5);
        }
    }

    [Fact]
    public void Every_link_leads_to_a_file()
    {
        foreach (string page in (string[])["README.md", "docs/guide.md"])
        {
            string directory = Path.GetDirectoryName(Path.Combine(Checkout.Root, page))!;
            foreach (string link in Link().Matches(Read(page)).Select(link => link.Groups[1].Value.Split('#')[0]).Where(link => link.Length > 0))
            {
                Assert.True(Path.Exists(Path.Combine(directory, link)), $"{page} links to {link}");
            }
        }
    }

    /// <summary>A text without its numbers and line breaks.</summary>
    private static string Words(string text) => Numbers().Replace(string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), "N");

    private static string Read(string page) => File.ReadAllText(Path.Combine(Checkout.Root, page));

    /// <summary>Runs the commands of a page's sh blocks, with one epoch each.</summary>
    private async Task RunAllAsync(string page, string? data = null)
    {
        if (data is not null)
        {
            Assert.Contains(Data, page, StringComparison.Ordinal);
            PrepareFiles();
        }

        foreach (Match file in NamedFile().Matches(page))
        {
            File.WriteAllText(Path.Combine(folder, file.Groups[1].Value), file.Groups[2].Value);
        }

        List<string> commands = [.. CommandsOf(data is null ? page : page.Replace(Data, data, StringComparison.Ordinal))];
        Assert.True(commands.Count >= 5, "the page lost its commands");
        foreach (string command in commands)
        {
            string[] words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words[0] == "curl")
            {
                await SendAsync(words);
            }
            else if (words[0] == "serve")
            {
                service = await CliProcess.ServeAsync(folder, words[1..]);
            }
            else
            {
                CliResult result = CliProcess.RunIn(folder, Environment, words);

                // After one epoch a model may give a wrong answer (1).
                int worst = words[0] == "verify" || command.StartsWith("gallery identify", StringComparison.Ordinal) ? 1 : 0;
                Assert.True(result.ExitCode is 0 or 1 && result.ExitCode <= worst, $"'{command}' ended with {result.ExitCode}\n{result.Error}\n{result.Out}");
                if (command == "verify a.jpg b.jpg")
                {
                    Assert.Equal(Words(Output().Match(page).Groups[1].Value), Words(result.Out));
                }
            }
        }

        service?.Dispose();
        service = null;
    }

    /// <summary>The installed model, and the photos that the README takes for granted.</summary>
    private void PrepareFiles()
    {
        string home = Directory.CreateDirectory(Environment["UNIFACE_HOME"]).FullName;
        string installed = UniFaceHome.Folders().First(Directory.Exists);
        foreach (string part in Directory.EnumerateFileSystemEntries(installed).Where(part => Path.GetFileName(part) != "models"))
        {
            Directory.CreateSymbolicLink(Path.Combine(home, Path.GetFileName(part)), part);
        }

        CliProcess.RunIn(folder, Environment, "models", "pull", "dlib-resnet").Expect(0);
        CliProcess.RunIn(folder, "data", "make", "given", "--people", "1", "--images", "4", "--photos", "--seed", "7").Expect(0);
        foreach ((int i, string name) in new[] { "a.jpg", "b.jpg", "ann.jpg", "who.jpg" }.Index())
        {
            File.Move(Path.Combine(folder, "given", "person-0000", $"{i:D3}.jpg"), Path.Combine(folder, name));
        }
    }

    /// <summary>Sends the request of a curl command with fields -F NAME=VALUE or -F NAME=@FILE.</summary>
    private async Task SendAsync(string[] words)
    {
        using MultipartFormDataContent form = [];
        foreach (string[] field in words.Index().Where(word => word.Index > 0 && words[word.Index - 1] == "-F").Select(word => word.Item.Split('=')))
        {
            if (field[1].StartsWith('@'))
            {
                form.Add(new ByteArrayContent(File.ReadAllBytes(Path.Combine(folder, field[1][1..]))), field[0], field[1][1..]);
            }
            else
            {
                form.Add(new StringContent(field[1]), field[0]);
            }
        }

        using HttpClient http = new();
        Uri address = new(service!.Address, new Uri(words[^1]).PathAndQuery);
        using HttpResponseMessage answer = await http.PostAsync(address, form, TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, string.Join(' ', words) + await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static IEnumerable<string> CommandsOf(string page) =>
        from Match block in ShellBlock().Matches(page)
        from string line in block.Groups[1].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        where line.StartsWith("uniface ", StringComparison.Ordinal) || line.StartsWith("curl ", StringComparison.Ordinal)
        select Epochs().Replace(line.StartsWith("uniface ", StringComparison.Ordinal) ? line["uniface ".Length..] : line, "--epochs 1");

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex ShellBlock();

    /// <summary>A yaml block that begins with a comment naming its file.</summary>
    [GeneratedRegex("```yaml\n# (\\S+)\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex NamedFile();

    [GeneratedRegex("```text\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Output();

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Snippet();

    [GeneratedRegex(@"\]\(([^):]*)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"--epochs \d+")]
    private static partial Regex Epochs();

    [GeneratedRegex(@"\d+(\.\d+)?")]
    private static partial Regex Numbers();
}
