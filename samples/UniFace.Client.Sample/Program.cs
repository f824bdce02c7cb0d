// Enrolls and identifies people through a running 'uniface serve':
//   dotnet run --project samples/UniFace.Client.Sample -- http://127.0.0.1:8080 enrol Ann ann1.jpg ann2.jpg
//   dotnet run --project samples/UniFace.Client.Sample -- http://127.0.0.1:8080 identify who.jpg
// Set UNIFACE_KEY to an API key if the service requires one.
using UniFace.Client;

if (args is not [string address, "enrol" or "identify", ..] || args.Length < (args[1] == "enrol" ? 4 : 3))
{
    Console.Error.WriteLine("usage: ADDRESS enrol NAME PHOTO... | ADDRESS identify PHOTO...");
    return 2;
}

UniFaceClient service = UniFaceClient.Connect(new Uri(address), Environment.GetEnvironmentVariable("UNIFACE_KEY"));
try
{
    if (args[1] == "enrol")
    {
        EnrollRequest request = new() { Person = args[2], Photos = [.. args[3..].Select(File.ReadAllBytes)] };
        EnrollAnswer answer = await service.EnrollAsync(request);
        Console.WriteLine($"{answer.Person}: {answer.Enrolled} of {request.Photos.Count} photos enrolled");
        foreach (EnrolledPhoto photo in answer.Photos.Where(p => p.Template is null))
        {
            string why = photo.Face is null ? "no face found" : string.Join("; ", photo.Face.Faults.Select(f => f.Message));
            Console.WriteLine($"  {args[3 + photo.Photo]}: {why}");
        }

        return 0;
    }

    foreach (string path in args[2..])
    {
        IdentifyAnswer answer = await service.IdentifyAsync(new IdentifyRequest { Photo = await File.ReadAllBytesAsync(path) });
        Console.WriteLine($"{path}: {answer.Person ?? "unknown"} (score {answer.Score:F3}, threshold {answer.Threshold:F3})");
    }

    return 0;
}
catch (ApiException<Problem> e)
{
    Console.Error.WriteLine($"error: {e.Result.Detail ?? e.Result.Title}");
    foreach (string fault in e.Result.Faults ?? [])
    {
        Console.Error.WriteLine("  " + fault);
    }

    return 1;
}
