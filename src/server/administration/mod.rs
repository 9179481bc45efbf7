//! What an administrator can do, as typed operations: the admin pages, the command line and the control socket all
//! call these. Each loads what its pure decision needs inside a writer job (`oauth::clients`, `identity::people`).
