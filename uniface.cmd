@rem Builds the tool if its sources have changed, and runs it: uniface demo
@powershell -NoProfile -ExecutionPolicy Bypass -File "%~dp0uniface.ps1" %*
@exit /b %ERRORLEVEL%
