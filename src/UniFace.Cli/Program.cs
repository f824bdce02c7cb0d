using UniFace.Cli;

return await CommandHost.RunAsync(args);
